-- What the schedule no longer says and has not come yet was never due.
DELETE FROM runs
WHERE state = 'expected' AND origin = 'schedule' AND due_at > %(now)s AND chain <> ALL (%(spared)s::text[])
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(%(runs)s::jsonb) AS one
        WHERE one->>'job' = runs.job AND (one->>'scheduled_for')::timestamptz = runs.scheduled_for
    )
