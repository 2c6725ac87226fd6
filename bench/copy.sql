-- The columns and the index of `trades`, without its partitions.
CREATE TABLE bench_trades (
    symbol_id int NOT NULL,
    side int2 NOT NULL,
    time timestamptz NOT NULL,
    trade_id int8,
    price float8 NOT NULL,
    size float8 NOT NULL,
    exchange_time timestamptz,
    received_at timestamptz NOT NULL
);
CREATE INDEX ON bench_trades USING brin (time);
