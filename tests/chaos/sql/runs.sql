-- Runs of consecutive trade ids above each symbol's floor, with the rows in each. Only trades since then are looked at:
-- an id above the floor was given later.
WITH rows AS (
    SELECT
        s.symbol,
        t.trade_id,
        t.trade_id - dense_rank() OVER (PARTITION BY t.symbol_id ORDER BY t.trade_id) AS run
    FROM trades AS t
    JOIN symbols AS s USING (symbol_id)
    LEFT JOIN unnest(%(symbols)s::text[], %(floors)s::int8[]) AS f (symbol, floor) USING (symbol)
    WHERE s.feed = %(feed)s AND t.time >= to_timestamp(%(since)s) AND t.trade_id > coalesce(f.floor, -1)
)

SELECT symbol, min(trade_id), max(trade_id), count(*)
FROM rows
GROUP BY symbol, run
ORDER BY symbol, min(trade_id)
