"""``python -m services.worker``."""

from nightdesk import service
from services.worker import app

if __name__ == "__main__":
    service.entry(app.SERVICE, app.run)
