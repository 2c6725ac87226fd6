"""``python -m services.jobs``."""

from nightdesk.service import entry
from services.jobs.app import SERVICE, run

if __name__ == "__main__":
    entry(SERVICE, run)
