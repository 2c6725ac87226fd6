-- Orders in the order of their recording, the newest first.
SELECT
    orders.order_id, orders.reference, instruments.symbol, traders.name AS trader, orders.side, orders.quantity,
    orders.price, orders.total_value, orders.status, orders.ordered_at, orders.reason, orders.recorded_at
FROM orders
JOIN instruments USING (instrument_id)
JOIN traders USING (trader_id)
WHERE (%(before)s::bigint IS NULL OR orders.order_id < %(before)s)
    AND (%(reference)s::text IS NULL OR orders.reference = %(reference)s)
    AND (%(symbol)s::text IS NULL OR instruments.symbol = %(symbol)s)
    AND (%(trader)s::text IS NULL OR traders.name = %(trader)s)
    AND (%(side)s::text IS NULL OR orders.side = %(side)s)
    AND (%(status)s::text IS NULL OR orders.status = %(status)s)
    AND (%(from_)s::timestamptz IS NULL OR orders.ordered_at >= %(from_)s)
    AND (%(to)s::timestamptz IS NULL OR orders.ordered_at < %(to)s)
ORDER BY orders.order_id DESC
LIMIT %(limit)s
