-- Bytes of every table with its partitions, TOAST and indexes, and of the indexes among them.
SELECT coalesce(parent.relname, c.relname) AS name,
    sum(pg_total_relation_size(c.oid))::int8 AS bytes,
    sum(pg_indexes_size(c.oid))::int8 AS index_bytes
FROM pg_class AS c
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
LEFT JOIN pg_class AS parent ON parent.oid = i.inhparent
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
GROUP BY 1
ORDER BY 1
