"""``python -m services.simulator``."""

from nightdesk.service import entry
from services.simulator.app import run

if __name__ == "__main__":
    entry("simulator", run)
