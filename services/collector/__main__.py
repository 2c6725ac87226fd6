"""``python -m services.collector``."""

from nightdesk.service import entry
from services.collector.app import SERVICE, run

if __name__ == "__main__":
    entry(SERVICE, run)
