INSERT INTO alerts (
    alert_id, fingerprint, source, tier, "group", labels, annotations, started_s, seen_s, missing_s, ended_s, told_s,
    is_end_told, is_momentary, acknowledged_s, acknowledged_by, acknowledged_note
) VALUES (
    :alert_id, :fingerprint, :source, :tier, :group, :labels, :annotations, :started_s, :seen_s, :missing_s, :ended_s,
    :told_s, :is_end_told, :is_momentary, :acknowledged_s, :acknowledged_by, :acknowledged_note
)
ON CONFLICT (alert_id) DO UPDATE SET
    "group" = excluded."group", annotations = excluded.annotations, missing_s = excluded.missing_s,
    ended_s = excluded.ended_s, told_s = excluded.told_s, is_end_told = excluded.is_end_told,
    acknowledged_s = excluded.acknowledged_s, acknowledged_by = excluded.acknowledged_by,
    acknowledged_note = excluded.acknowledged_note
