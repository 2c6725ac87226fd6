INSERT INTO gaps (symbol_id, kind, from_id, to_id, from_time, to_time, missing, cause, state)
SELECT
    symbol_id, kind, from_id, to_id, to_timestamp(from_us / 1000000.0), to_timestamp(to_us / 1000000.0), missing,
    cause, state
FROM unnest(
    %(symbols)s::int4[], %(kinds)s::int2[], %(from_ids)s::int8[], %(to_ids)s::int8[], %(from_us)s::int8[],
    %(to_us)s::int8[], %(missing)s::text[]::int8multirange[], %(causes)s::text[], %(states)s::text[]
) AS turn (symbol_id, kind, from_id, to_id, from_us, to_us, missing, cause, state)
