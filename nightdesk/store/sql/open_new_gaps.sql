-- A gap in time that begins where an earlier one did is the same silence, and goes on.
WITH turn AS (
    SELECT
        symbol_id, kind, from_id, to_id, to_timestamp(from_us / 1000000.0) AS from_time,
        to_timestamp(to_us / 1000000.0) AS to_time, missing, cause, state
    FROM unnest(
        %(symbols)s::int4[], %(kinds)s::int2[], %(from_ids)s::int8[], %(to_ids)s::int8[], %(from_us)s::int8[],
        %(to_us)s::int8[], %(missing)s::text[]::int8multirange[], %(causes)s::text[], %(states)s::text[]
    ) AS one (symbol_id, kind, from_id, to_id, from_us, to_us, missing, cause, state)
), extended AS (
    UPDATE gaps AS g
    SET to_time = greatest(g.to_time, turn.to_time), updated_at = now()
    FROM turn
    WHERE g.symbol_id = turn.symbol_id AND g.kind = turn.kind AND g.from_time = turn.from_time
        AND g.missing IS NULL AND turn.missing IS NULL
    RETURNING g.symbol_id, g.kind, g.from_time
)
INSERT INTO gaps (symbol_id, kind, from_id, to_id, from_time, to_time, missing, cause, state)
SELECT symbol_id, kind, from_id, to_id, from_time, to_time, missing, cause, state
FROM turn
WHERE turn.missing IS NOT NULL OR NOT EXISTS (
    SELECT FROM extended WHERE (extended.symbol_id, extended.kind, extended.from_time)
        = (turn.symbol_id, turn.kind, turn.from_time)
)
