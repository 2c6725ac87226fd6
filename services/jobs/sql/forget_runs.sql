-- The totals of each state are kept apart, so that no counter moves back.
DELETE FROM runs
WHERE scheduled_for < %(before)s AND state IN ('succeeded', 'failed', 'missed', 'skipped')
