INSERT INTO schedules AS s (job, planned_until)
SELECT * FROM unnest(%(jobs)s::text[], %(until)s::timestamptz[])
ON CONFLICT (job) DO UPDATE SET planned_until = excluded.planned_until, seen_at = now()
