-- What each trader realised in a period, first in first out: profit is made when an order closes what another one opened,
-- and belongs to the moment of the order that closes. Who closed nothing in the period is not here.
--
-- First in, first out pairs the n-th unit bought with the n-th unit sold. So of the orders before the period those are
-- open, wholly or in part, that reach beyond the total of the other side; these and the period's own are the lots. Laid
-- end to end, each side's lots cut the same line of units: every piece between two cuts was bought in one lot and sold
-- in one other, the later of which closed it. What was open before is all on one side, so each pair closes in the period.
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
), laid AS (
    SELECT
        trader_id, instrument_id, side,
        sum(quantity) OVER (
            PARTITION BY trader_id, instrument_id, side ORDER BY ordered_at, order_id ROWS UNBOUNDED PRECEDING
        ) AS reached,
        ARRAY[
            row_number() OVER (PARTITION BY trader_id, instrument_id ORDER BY ordered_at, order_id), price, order_id
        ] AS lot
    FROM lots
), pieces AS (
    -- From the far end: the lot that a piece belongs to is the earliest one of its side that reaches so far.
    SELECT
        trader_id,
        reached - lead(reached, 1, 0::numeric) OVER far AS quantity,
        min(lot) FILTER (WHERE side = 'buy') OVER far AS bought,
        min(lot) FILTER (WHERE side = 'sell') OVER far AS sold
    FROM laid
    WINDOW far AS (PARTITION BY trader_id, instrument_id ORDER BY reached DESC ROWS UNBOUNDED PRECEDING)
)
SELECT
    traders.name AS trader,
    sum(pieces.quantity * (sold[2] - bought[2])) AS profit,
    count(DISTINCT (greatest(bought, sold))[3]) AS orders
FROM pieces
JOIN traders USING (trader_id)
WHERE pieces.quantity > 0 AND bought IS NOT NULL AND sold IS NOT NULL
GROUP BY traders.trader_id
ORDER BY traders.name
