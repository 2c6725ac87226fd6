-- Add what is new and change what differs, in the order of the keys; what was left out stays. A row that was only just
-- added has no transaction that locked it (xmax).
WITH wanted AS (
    SELECT
        staged.reference, instruments.instrument_id, traders.trader_id, staged.side, staged.quantity, staged.price,
        staged.status, staged.ordered_at, coalesce(staged.reason, old.reason, '') AS reason
    FROM staged
    JOIN instruments USING (symbol)
    JOIN traders ON traders.name = staged.trader
    LEFT JOIN orders AS old USING (reference)
    WHERE old.order_id IS NULL
        OR (
            old.instrument_id, old.trader_id, old.side, old.quantity, old.price, old.status, old.ordered_at, old.reason
        ) <> (
            instruments.instrument_id, traders.trader_id, staged.side, staged.quantity, staged.price, staged.status,
            staged.ordered_at, coalesce(staged.reason, old.reason)
        )
), merged AS (
    INSERT INTO orders AS kept (
        reference, instrument_id, trader_id, side, quantity, price, status, ordered_at, reason
    )
    SELECT reference, instrument_id, trader_id, side, quantity, price, status, ordered_at, reason
    FROM wanted
    ORDER BY reference
    ON CONFLICT (reference) DO UPDATE SET
        instrument_id = excluded.instrument_id, trader_id = excluded.trader_id, side = excluded.side,
        quantity = excluded.quantity, price = excluded.price, status = excluded.status,
        ordered_at = excluded.ordered_at, reason = excluded.reason, recorded_at = now()
    WHERE (
            kept.instrument_id, kept.trader_id, kept.side, kept.quantity, kept.price, kept.status, kept.ordered_at,
            kept.reason
        ) <> (
            excluded.instrument_id, excluded.trader_id, excluded.side, excluded.quantity, excluded.price,
            excluded.status, excluded.ordered_at, excluded.reason
        )
    RETURNING kept.xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS changed FROM merged
