-- The traders that orders name and nobody recorded, each with the first order that does.
SELECT staged.trader AS name, min(staged.place) AS first, count(*) AS rows
FROM staged
LEFT JOIN traders ON traders.name = staged.trader
WHERE traders.trader_id IS NULL
GROUP BY staged.trader
ORDER BY 2
LIMIT 100
