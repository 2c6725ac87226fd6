-- The gap ledger, newest first; a gap's missing ids are shown as at most twenty ranges, both ends included.
SELECT
    gaps.gap_id, symbols.feed, symbols.symbol, gaps.kind, gaps.from_id, gaps.to_id, gaps.from_time, gaps.to_time,
    gaps.cause, gaps.state, gaps.source, gaps.quality, gaps.reason, gaps.tries, gaps.opened_at, gaps.updated_at,
    missing.ids AS missing_ids, missing.ranges AS missing
FROM gaps
JOIN symbols USING (symbol_id)
CROSS JOIN LATERAL (
    SELECT
        sum(upper(one.ids) - lower(one.ids))::bigint AS ids,
        coalesce(
            array_agg(ARRAY[lower(one.ids), upper(one.ids) - 1] ORDER BY one.ids) FILTER (WHERE one.place <= 20),
            '{}'
        )::bigint[] AS ranges
    FROM unnest(gaps.missing) WITH ORDINALITY AS one (ids, place)
) AS missing
WHERE (%(before)s::bigint IS NULL OR gaps.gap_id < %(before)s)
    AND (%(feed)s::text IS NULL OR symbols.feed = %(feed)s)
    AND (%(symbol)s::text IS NULL OR symbols.symbol = %(symbol)s)
    AND (%(kind)s::int IS NULL OR gaps.kind = %(kind)s)
    AND (%(state)s::text IS NULL OR gaps.state = %(state)s)
ORDER BY gaps.gap_id DESC
LIMIT %(limit)s
