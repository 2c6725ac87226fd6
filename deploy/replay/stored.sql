-- What a replay left, by symbol and kind: rows, duplicates that were dropped, gaps, ids missing in them, first and last.
WITH rows AS (
    SELECT symbol_id, 1 AS kind, count(*) AS stored, min(time) AS first, max(time) AS last FROM trades GROUP BY 1
    UNION ALL SELECT symbol_id, 2, count(*), min(time), max(time) FROM agg_trades GROUP BY 1
    UNION ALL SELECT symbol_id, 3, count(*), min(time), max(time) FROM quotes GROUP BY 1
    UNION ALL SELECT symbol_id, 4, count(*), min(time), max(time) FROM depths GROUP BY 1
    UNION ALL SELECT symbol_id, 5, count(*), min(time), max(time) FROM klines GROUP BY 1
), holes AS (
    SELECT symbol_id, kind, count(*) AS gaps,
        sum((SELECT sum(upper(part) - lower(part)) FROM unnest(missing) AS part)) AS missing_ids
    FROM gaps GROUP BY 1, 2
)
SELECT symbol, kind, coalesce(rows.stored, 0), coalesce(duplicates, 0), coalesce(gaps, 0), coalesce(missing_ids, 0)::int8,
    first, last
FROM rows FULL JOIN holes USING (symbol_id, kind) LEFT JOIN marks USING (symbol_id, kind) JOIN symbols USING (symbol_id)
ORDER BY symbol, kind
