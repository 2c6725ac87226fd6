"""Run the one-shot: ``python -m services.init``."""

from nightdesk.service import entry
from services.init.app import run

if __name__ == "__main__":
    entry("init", run)
