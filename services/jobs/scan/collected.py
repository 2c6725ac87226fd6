"""What the desk has collected of a symbol itself."""

from nightdesk.store.database import Connection, translated
from nightdesk.ticks import Kind
from services.jobs.backfill.statements import statement
from services.jobs.scan.market import Day, Known
from services.jobs.scan.sessions import Sessions


def collected(connection: Connection, feed: str, symbol: str, hours: Sessions) -> Known:
    """Return a collected symbol's days and price; raises UnavailableError."""
    past = hours.past
    wanted = {
        "feed": feed,
        "symbol": symbol,
        "days": [one.day for one in past],
        "opens": [one.opens for one in past],
        "closes": [one.closes for one in past],
        "kind": Kind.TRADE.value,
        "since": hours.begins,
    }
    with translated():
        days = connection.execute(statement("scan_days"), wanted).fetchall()
        price = connection.execute(statement("scan_price"), wanted).fetchone()
    return Known(
        symbol=symbol,
        source=feed,
        days=[Day(day=day, close=close, volume=volume) for day, close, volume in days],
        price=None if price is None else price[0],
    )
