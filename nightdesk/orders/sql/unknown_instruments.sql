-- The instruments that orders name and nobody recorded, each with the first order that does.
SELECT staged.symbol AS name, min(staged.place) AS first, count(*) AS rows
FROM staged
LEFT JOIN instruments USING (symbol)
WHERE instruments.instrument_id IS NULL
GROUP BY staged.symbol
ORDER BY 2
LIMIT 100
