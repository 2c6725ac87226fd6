-- What was due and whose entry is gone.
UPDATE runs
SET state = 'skipped', reason = 'no longer in the schedule', finished_at = %(now)s
WHERE state = 'expected' AND origin IN ('schedule', 'gap') AND job <> ALL (%(jobs)s::text[])
RETURNING run_id
