-- The days of a period that have orders.
SELECT day, orders, executed, pending, cancelled, failed, buys, sells, volume
FROM daily_summary
WHERE day BETWEEN %(first)s::date AND %(last)s::date
ORDER BY day
