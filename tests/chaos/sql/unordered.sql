-- Trades above each symbol's floor that were received before the one with the next lower id, and how many.
SELECT symbol, min(trade_id), count(*)
FROM (
    SELECT
        s.symbol,
        t.trade_id,
        t.received_at < lag(t.received_at) OVER (PARTITION BY t.symbol_id ORDER BY t.trade_id) AS is_earlier
    FROM trades AS t
    JOIN symbols AS s USING (symbol_id)
    LEFT JOIN unnest(%(symbols)s::text[], %(floors)s::int8[]) AS f (symbol, floor) USING (symbol)
    WHERE s.feed = %(feed)s AND t.time >= to_timestamp(%(since)s) AND t.trade_id > coalesce(f.floor, -1)
) AS received
WHERE is_earlier
GROUP BY symbol
