"""The transports by the name that ``TRANSPORT`` uses for them; a new one is a file and a line here."""

from typing import Final

from services.collector.transport import Connect
from services.collector.transports import picows, websockets

TRANSPORTS: Final[dict[str, Connect]] = {
    "websockets": websockets.connect,
    "picows": picows.connect,
}
