-- Every instrument with orders in a period, by what was executed.
WITH sums AS (
    SELECT
        instrument_id,
        count(*) AS orders,
        count(*) FILTER (WHERE status = 'executed') AS executed,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        coalesce(sum(total_value) FILTER (WHERE status = 'executed'), 0) AS volume
    FROM orders
    WHERE ordered_at >= %(since)s AND ordered_at < %(until)s
    GROUP BY instrument_id
)
SELECT symbol, name, sector, orders, executed, failed, volume
FROM sums
JOIN instruments USING (instrument_id)
ORDER BY volume DESC, symbol
