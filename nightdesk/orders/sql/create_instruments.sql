-- In the order of their names, as everybody adds them, so that two imports never wait for each other crosswise.
INSERT INTO instruments (symbol)
SELECT DISTINCT staged.symbol
FROM staged
LEFT JOIN instruments USING (symbol)
WHERE instruments.instrument_id IS NULL
ORDER BY staged.symbol
ON CONFLICT (symbol) DO NOTHING
