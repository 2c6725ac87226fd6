UPDATE gaps AS g
SET missing = turn.missing, state = CASE WHEN isempty(turn.missing) THEN 'filled' ELSE g.state END, updated_at = now()
FROM unnest(%(gaps)s::int8[], %(missing)s::text[]::int8multirange[]) AS turn (gap_id, missing)
WHERE g.gap_id = turn.gap_id
