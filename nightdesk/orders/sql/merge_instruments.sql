-- Add what is new and change what differs, in the order of the keys; what was left out stays. A row that was only just
-- added has no transaction that locked it (xmax).
WITH merged AS (
    INSERT INTO instruments AS kept (symbol, name, sector)
    SELECT staged.symbol, coalesce(staged.name, old.name, ''), coalesce(staged.sector, old.sector, '')
    FROM staged
    LEFT JOIN instruments AS old USING (symbol)
    WHERE old.instrument_id IS NULL OR (staged.name <> old.name) IS TRUE OR (staged.sector <> old.sector) IS TRUE
    ORDER BY staged.symbol
    ON CONFLICT (symbol) DO UPDATE SET name = excluded.name, sector = excluded.sector
    WHERE (kept.name, kept.sector) <> (excluded.name, excluded.sector)
    RETURNING kept.xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS changed FROM merged
