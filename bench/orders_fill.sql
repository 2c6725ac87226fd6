INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status, ordered_at)
SELECT
    'F-' || n, 1 + n %% 50, 1 + n %% 12, CASE WHEN n %% 2 = 0 THEN 'buy' ELSE 'sell' END, n %% 997 + 1, n %% 1009 + 0.25,
    CASE WHEN n %% 8 = 0 THEN (ARRAY['pending', 'cancelled', 'failed'])[1 + n %% 3] ELSE 'executed' END,
    timestamptz '2026-11-01 00:00Z' + n %% 2592000 * interval '1 second'
FROM generate_series(1, %(orders)s) AS n
