"""``python -m deploy.replay``."""

import sys

from deploy.replay.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
