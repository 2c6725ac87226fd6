-- The executed orders of a period, oldest first, and before them what was open when it began, of every trader and
-- instrument that has some in it: the quantity of each earlier order that no later one had closed.
--
-- First in, first out pairs the n-th unit bought with the n-th unit sold. So of the orders before the period those are
-- open, wholly or in part, that reach beyond the total of the other side.
WITH pairs AS (
    SELECT DISTINCT trader_id, instrument_id
    FROM orders
    WHERE status = 'executed' AND ordered_at >= %(since)s AND ordered_at < %(until)s
), before AS (
    SELECT
        orders.*,
        sum(quantity) OVER (PARTITION BY trader_id, instrument_id, side ORDER BY ordered_at, order_id) AS reached
    FROM orders
    JOIN pairs USING (trader_id, instrument_id)
    WHERE status = 'executed' AND ordered_at < %(since)s
), totals AS (
    SELECT
        trader_id, instrument_id,
        coalesce(sum(quantity) FILTER (WHERE side = 'buy'), 0) AS bought,
        coalesce(sum(quantity) FILTER (WHERE side = 'sell'), 0) AS sold
    FROM before
    GROUP BY trader_id, instrument_id
), lots AS (
    SELECT
        order_id, trader_id, instrument_id, side, price, ordered_at,
        least(quantity, reached - CASE WHEN side = 'buy' THEN sold ELSE bought END) AS quantity
    FROM before
    JOIN totals USING (trader_id, instrument_id)
    WHERE reached > CASE WHEN side = 'buy' THEN sold ELSE bought END
    UNION ALL
    SELECT order_id, trader_id, instrument_id, side, price, ordered_at, quantity
    FROM orders
    WHERE status = 'executed' AND ordered_at >= %(since)s AND ordered_at < %(until)s
)
SELECT traders.name AS trader, instruments.symbol, lots.side, lots.quantity, lots.price, lots.ordered_at
FROM lots
JOIN traders USING (trader_id)
JOIN instruments USING (instrument_id)
ORDER BY lots.ordered_at, lots.order_id
