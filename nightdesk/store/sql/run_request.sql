-- A run that somebody asks for; the same key asks for the same run.
INSERT INTO runs (
    job, scheduled_for, task, origin, chain, args, idempotency_key, state, due_at, grace_s, catch_up, max_age_s,
    timeout_s, attempts_allowed, backoff_s, queued_at
)
VALUES (
    %(job)s, %(now)s, %(task)s, %(origin)s, %(job)s, %(args)s::jsonb, %(idempotency_key)s, %(state)s, %(now)s,
    %(grace_s)s, 'all', %(max_age_s)s, %(timeout_s)s, %(attempts_allowed)s, %(backoff_s)s,
    CASE WHEN %(state)s = 'queued' THEN %(now)s::timestamptz END
)
ON CONFLICT DO NOTHING
RETURNING run_id
