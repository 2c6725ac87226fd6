-- In the order of their names, as everybody adds them, so that two imports never wait for each other crosswise.
INSERT INTO traders (name)
SELECT DISTINCT staged.trader
FROM staged
LEFT JOIN traders ON traders.name = staged.trader
WHERE traders.trader_id IS NULL
ORDER BY staged.trader
ON CONFLICT (name) DO NOTHING
