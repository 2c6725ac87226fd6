-- Every interval of ids that is still missing, whether or not anyone hopes to fill it.
SELECT g.symbol_id, g.kind, g.gap_id, lower(missing.ids), upper(missing.ids) - 1
FROM gaps AS g
JOIN unnest(%(symbols)s::int4[], %(kinds)s::int2[]) AS wanted (symbol_id, kind) USING (symbol_id, kind)
CROSS JOIN LATERAL unnest(g.missing) AS missing (ids)
WHERE g.state <> 'filled'
