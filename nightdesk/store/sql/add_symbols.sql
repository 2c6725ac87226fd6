INSERT INTO symbols (feed, symbol, shard)
SELECT %(feed)s, symbol, %(shard)s FROM unnest(%(symbols)s::text[]) AS new (symbol)
ON CONFLICT (feed, symbol) DO NOTHING
