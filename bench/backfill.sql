-- A feed of two symbols; the first has a gap, the second is for the rows that are copied.
WITH feed AS (
    INSERT INTO feeds (feed, shards) VALUES ('bench', 1)
), named AS (
    INSERT INTO symbols (feed, symbol, shard) VALUES ('bench', 'BTCUSDT', 0), ('bench', 'ETHUSDT', 0)
), marked AS (
    INSERT INTO marks (symbol_id, kind, mark, last_received_at, stored, duplicates)
    VALUES (1, 1, %(last)s, now(), 2, 0)
)
INSERT INTO gaps (symbol_id, kind, from_id, to_id, missing, from_time, to_time, cause, state)
VALUES (
    1, 1, %(first)s, %(last)s - 1, int8multirange(int8range(%(first)s, %(last)s)), now(), now(), 'of the benchmark', 'open'
)
