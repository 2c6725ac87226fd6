-- What a batch has more than once, the first of each and one of the others.
SELECT reference AS key, min(place) AS first, max(place) AS other, count(*) AS rows, sum(count(*)) OVER ()::int8 AS all_rows
FROM staged
GROUP BY reference
HAVING count(*) > 1
ORDER BY 2
LIMIT 100
