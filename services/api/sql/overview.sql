-- Symbols as a person reads them: the last price, the kinds that have arrived, and how complete a day is, where that was
-- verified.
SELECT
    symbols.feed,
    symbols.symbol,
    coalesce(array_agg(latest.kind ORDER BY latest.kind) FILTER (WHERE latest.kind IS NOT NULL), '{}')::int[] AS kinds,
    max(latest.received_at) AS last_received_at,
    (array_agg(latest.price ORDER BY latest.kind) FILTER (WHERE latest.kind IN (1, 2)))[1] AS price,
    max(completeness.percent) AS percent
FROM symbols
LEFT JOIN latest USING (symbol_id)
LEFT JOIN completeness ON completeness.symbol_id = symbols.symbol_id AND completeness.day = %(day)s
WHERE (%(feed)s::text IS NULL OR symbols.feed = %(feed)s)
    AND (%(symbol)s::text IS NULL OR symbols.symbol = %(symbol)s)
GROUP BY symbols.feed, symbols.symbol
ORDER BY symbols.feed, symbols.symbol
