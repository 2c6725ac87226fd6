-- Runs of consecutive trade ids, above and up to each symbol's floor apart, with the rows in each.
WITH rows AS (
    SELECT
        s.symbol,
        t.trade_id,
        t.trade_id > coalesce(f.floor, -1) AS is_new,
        t.trade_id - dense_rank() OVER (PARTITION BY t.symbol_id ORDER BY t.trade_id) AS run
    FROM trades AS t
    JOIN symbols AS s USING (symbol_id)
    LEFT JOIN unnest(%(symbols)s::text[], %(floors)s::int8[]) AS f (symbol, floor) USING (symbol)
    WHERE s.feed = %(feed)s
)

SELECT symbol, is_new, min(trade_id), max(trade_id), count(*)
FROM rows
GROUP BY symbol, is_new, run
ORDER BY symbol, min(trade_id)
