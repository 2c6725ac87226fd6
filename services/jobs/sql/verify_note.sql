INSERT INTO completeness AS c (
    symbol_id, day, minutes, complete, missing_ids, differing, unchecked, percent, detail, verified_at
)
VALUES (
    %(symbol_id)s, %(day)s, %(minutes)s, %(complete)s, %(missing_ids)s, %(differing)s, %(unchecked)s, %(percent)s,
    %(detail)s::jsonb, now()
)
ON CONFLICT (symbol_id, day) DO UPDATE SET
    minutes = excluded.minutes,
    complete = excluded.complete,
    missing_ids = excluded.missing_ids,
    differing = excluded.differing,
    unchecked = excluded.unchecked,
    percent = excluded.percent,
    detail = excluded.detail,
    verified_at = excluded.verified_at
