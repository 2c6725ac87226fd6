-- Add what is new and change what differs, in the order of the keys; what was left out stays. A row that was only just
-- added has no transaction that locked it (xmax).
WITH merged AS (
    INSERT INTO traders AS kept (name, kind)
    SELECT staged.name, coalesce(staged.kind, old.kind, 'account')
    FROM staged
    LEFT JOIN traders AS old USING (name)
    WHERE old.trader_id IS NULL OR (staged.kind <> old.kind) IS TRUE
    ORDER BY staged.name
    ON CONFLICT (name) DO UPDATE SET kind = excluded.kind
    WHERE kept.kind <> excluded.kind
    RETURNING kept.xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS changed FROM merged
