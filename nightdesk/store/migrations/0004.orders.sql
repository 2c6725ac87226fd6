-- What the desk's strategies and accounts ordered, and what became of it.

-- What is traded, by the name that orders use; `symbol` need not be one that ticks are collected of.
CREATE TABLE instruments (
    instrument_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol text NOT NULL UNIQUE,
    name text NOT NULL DEFAULT '',
    sector text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- Who trades: a strategy or an account.
CREATE TABLE traders (
    trader_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL DEFAULT 'account' CHECK (kind IN ('strategy', 'account')),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- `reference` is the order's name outside: the same one again is the same order, whatever has become of it since.
-- Money is numeric. NaN is larger than infinity there, so that one upper bound keeps both out.
-- `recorded_at` is when the row last changed.
CREATE TABLE orders (
    order_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    instrument_id int NOT NULL REFERENCES instruments,
    trader_id int NOT NULL REFERENCES traders,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity numeric NOT NULL CHECK (quantity > 0 AND quantity < 'infinity'),
    price numeric NOT NULL CHECK (price > 0 AND price < 'infinity'),
    total_value numeric GENERATED ALWAYS AS (quantity * price) STORED,
    status text NOT NULL CHECK (status IN ('executed', 'pending', 'cancelled', 'failed')),
    ordered_at timestamptz NOT NULL CHECK (ordered_at > '-infinity' AND ordered_at < 'infinity'),
    reason text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_time ON orders (ordered_at);
CREATE INDEX orders_day ON orders (((ordered_at AT TIME ZONE 'UTC')::date));
CREATE INDEX orders_instrument ON orders (instrument_id, ordered_at);
CREATE INDEX orders_trader ON orders (trader_id, ordered_at);

-- One row a UTC day with orders. Only what was executed has a volume; `average` is its value an order.
CREATE VIEW daily_summary AS
SELECT
    (ordered_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS orders,
    count(*) FILTER (WHERE status = 'executed') AS executed,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'executed' AND side = 'buy') AS buys,
    count(*) FILTER (WHERE status = 'executed' AND side = 'sell') AS sells,
    coalesce(sum(total_value) FILTER (WHERE status = 'executed'), 0) AS volume,
    coalesce(avg(total_value) FILTER (WHERE status = 'executed'), 0) AS average
FROM orders
GROUP BY 1;

-- The clerk (the api, where it records) writes orders and what they name, and sees nothing else.
GRANT SELECT, INSERT, UPDATE ON instruments, traders, orders TO nightdesk_clerk, nightdesk_writer;
GRANT SELECT ON daily_summary TO nightdesk_writer;
GRANT SELECT ON instruments, traders, orders, daily_summary TO nightdesk_reader;
