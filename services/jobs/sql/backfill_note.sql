-- In the transaction that stores what was missing.
UPDATE gaps
SET source = %(source)s, quality = 'trades', state = coalesce(%(state)s, state), reason = '', updated_at = now()
WHERE gap_id = %(gap_id)s
