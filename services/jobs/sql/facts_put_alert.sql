-- One episode of an alert as it is now; asked again, it is the same row.
INSERT INTO alert_history (
    started_at, alert_id, name, tier, source, summary, labels, ended_at, told_at, acknowledged_at, acknowledged_by, note
)
VALUES (
    %(started_at)s, %(alert_id)s, %(name)s, %(tier)s, %(source)s, %(summary)s, %(labels)s, %(ended_at)s, %(told_at)s,
    %(acknowledged_at)s, %(acknowledged_by)s, %(note)s
)
ON CONFLICT (started_at, alert_id) DO UPDATE SET
    name = excluded.name, tier = excluded.tier, source = excluded.source, summary = excluded.summary,
    labels = excluded.labels, ended_at = excluded.ended_at, told_at = excluded.told_at,
    acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by, note = excluded.note
