SELECT status, count(*), sum(total_value)
FROM orders
WHERE ordered_at >= %(since)s AND ordered_at < %(until)s
GROUP BY status
