-- Lock the marks of a turn, always in the same order.
SELECT symbol_id, kind, mark, (extract(epoch FROM last_received_at) * 1000000)::int8, stored
FROM marks
JOIN unnest(%(symbols)s::int4[], %(kinds)s::int2[]) AS wanted (symbol_id, kind) USING (symbol_id, kind)
ORDER BY symbol_id, kind
FOR UPDATE OF marks
