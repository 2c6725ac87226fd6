-- Write down runs that are expected; what is there already stays, but takes on the schedule's newest word while it waits.
INSERT INTO runs AS r (
    job, scheduled_for, task, origin, chain, after, args, due_at, grace_s, catch_up, max_age_s, timeout_s,
    attempts_allowed, backoff_s
)
SELECT
    one->>'job', (one->>'scheduled_for')::timestamptz, one->>'task', one->>'origin', one->>'chain',
    ARRAY(SELECT jsonb_array_elements_text(one->'after')), one->'args', (one->>'due_at')::timestamptz,
    (one->>'grace_s')::float8, one->>'catch_up', (one->>'max_age_s')::float8, (one->>'timeout_s')::float8,
    (one->>'attempts_allowed')::int, (one->>'backoff_s')::float8
FROM jsonb_array_elements(%(runs)s::jsonb) AS one
ON CONFLICT (job, scheduled_for) DO UPDATE SET
    task = excluded.task, after = excluded.after, chain = excluded.chain, args = excluded.args,
    grace_s = excluded.grace_s, catch_up = excluded.catch_up, max_age_s = excluded.max_age_s,
    timeout_s = excluded.timeout_s, attempts_allowed = excluded.attempts_allowed, backoff_s = excluded.backoff_s
WHERE r.state = 'expected' AND r.origin IN ('schedule', 'gap')
