-- How many trades are stored, up to each symbol's floor and above it.
SELECT
    s.symbol,
    count(*) FILTER (WHERE t.trade_id <= coalesce(f.floor, -1)),
    count(*) FILTER (WHERE t.trade_id > coalesce(f.floor, -1))
FROM trades AS t
JOIN symbols AS s USING (symbol_id)
LEFT JOIN unnest(%(symbols)s::text[], %(floors)s::int8[]) AS f (symbol, floor) USING (symbol)
WHERE s.feed = %(feed)s
GROUP BY s.symbol
