-- Every symbol of every feed with the kinds that have arrived.
SELECT
    symbols.feed,
    symbols.symbol,
    symbols.shard,
    coalesce(array_agg(latest.kind ORDER BY latest.kind) FILTER (WHERE latest.kind IS NOT NULL), '{}')::int[] AS kinds,
    max(latest.received_at) AS last_received_at
FROM symbols
LEFT JOIN latest USING (symbol_id)
WHERE (%(feed)s::text IS NULL OR symbols.feed = %(feed)s)
GROUP BY symbols.feed, symbols.symbol, symbols.shard
ORDER BY symbols.feed, symbols.symbol
