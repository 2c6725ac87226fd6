"""``python -m deploy.local up|down|logs|status|password`` or ``alerter ...``; the Makefile calls it."""

import sys

from deploy.local.app import run

if __name__ == "__main__":
    sys.exit(run())
