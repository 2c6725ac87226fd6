INSERT INTO marks AS m (symbol_id, kind, mark, last_received_at, stored, duplicates)
SELECT symbol_id, kind, mark, to_timestamp(received_us / 1000000.0), stored, duplicates
FROM unnest(
    %(symbols)s::int4[], %(kinds)s::int2[], %(marks)s::int8[], %(received_us)s::int8[], %(stored)s::int8[],
    %(duplicates)s::int8[]
) AS turn (symbol_id, kind, mark, received_us, stored, duplicates)
ON CONFLICT (symbol_id, kind) DO UPDATE SET
    mark = greatest(m.mark, excluded.mark),
    last_received_at = greatest(m.last_received_at, excluded.last_received_at),
    stored = m.stored + excluded.stored,
    duplicates = m.duplicates + excluded.duplicates
