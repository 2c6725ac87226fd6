"""What was: alerts, notifications, deliveries and every attempt, as they are shown. Rows to plain values."""

import json
from collections.abc import Sequence
from typing import Any

from services.alerter.alerts import Alert, Silence
from services.alerter.messages import Message
from services.alerter.store.file import Row, StateFile
from services.alerter.store.records import alert_of, decoded, silence_of

KEPT_S = 90 * 86_400.0
"""History older than a quarter is forgotten."""


class History:
    """Reads the state file."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    def alerts(self, *, firing: bool, before: int | None, limit: int) -> list[Alert]:
        """Return alerts, the newest first."""
        return [alert_of(row) for row in self._file.rows("alerts", firing=int(firing), before=before, limit=limit)]

    def alert(self, alert_id: int) -> Alert | None:
        """Return one alert."""
        rows = self._file.rows("alert", alert_id=alert_id)
        return alert_of(rows[0]) if rows else None

    def notified(self, notification_id: int) -> list[int]:
        """Return the numbers of the alerts that a notification told of; empty where there is no such notification."""
        return [row["alert_id"] for row in self._file.rows("notified_of", notification_id=notification_id)]

    def message(self, notification_id: int) -> Message | None:
        """Return what a notification said."""
        rows = self._file.rows("notification", notification_id=notification_id)
        return decoded(rows[0]["message"]) if rows else None

    def created_s(self, notification_id: int) -> float:
        """Return when a notification was made, Unix seconds; 0 where there is no such notification."""
        rows = self._file.rows("notification", notification_id=notification_id)
        return float(rows[0]["created_s"]) if rows else 0.0

    def notifications(self, *, alert_id: int | None, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return notifications, the newest first, each with its deliveries and their attempts."""
        found = self._file.rows("notifications", alert_id=alert_id, before=before, limit=limit)
        deliveries = self._deliveries([row["notification_id"] for row in found])
        return [
            {**row, "message": decoded(row["message"]), "deliveries": deliveries.get(row["notification_id"], [])}
            for row in found
        ]

    def silences(self, *, now_s: float, ended: bool) -> list[Silence]:
        """Return silences, the newest first; those that are over as well, if asked."""
        return [silence_of(row) for row in self._file.rows("all_silences", now_s=now_s, all=int(ended))]

    def prune(self, now_s: float) -> None:
        """Forget what is too old to be of use."""
        before = {"before_s": now_s - KEPT_S}
        self._file.write([("forget_notifications", before), ("forget_alerts", before)])

    def _deliveries(self, notifications: Sequence[int]) -> dict[int, list[Row]]:
        rows = self._file.rows("deliveries_of", notifications=json.dumps(notifications))
        attempts: dict[int, list[Row]] = {}
        for row in self._file.rows("attempts_of", deliveries=json.dumps([row["delivery_id"] for row in rows])):
            attempts.setdefault(row["delivery_id"], []).append(row)
        found: dict[int, list[Row]] = {}
        for row in rows:
            found.setdefault(row["notification_id"], []).append(
                {**row, "attempts": attempts.get(row["delivery_id"], [])}
            )
        return found
