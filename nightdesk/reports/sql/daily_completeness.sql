-- Every symbol that traded that day or was verified, with what verification found; nulls where it was not verified.
SELECT
    s.symbol_id, s.feed, s.symbol, c.minutes, c.complete, c.missing_ids, c.differing, c.unchecked,
    CASE WHEN c.unchecked < c.minutes THEN c.percent END AS percent, c.verified_at
FROM symbols AS s
LEFT JOIN completeness AS c ON c.symbol_id = s.symbol_id AND c.day = %(day)s
WHERE c.symbol_id IS NOT NULL
    OR EXISTS (SELECT FROM bars AS b WHERE b.symbol_id = s.symbol_id AND b.time >= %(begin)s AND b.time < %(end)s)
ORDER BY percent NULLS LAST, s.feed, s.symbol
