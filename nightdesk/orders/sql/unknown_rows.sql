-- How many orders name an instrument or a trader that nobody recorded.
SELECT count(*) AS rows
FROM staged
LEFT JOIN instruments USING (symbol)
LEFT JOIN traders ON traders.name = staged.trader
WHERE instruments.instrument_id IS NULL OR traders.trader_id IS NULL
