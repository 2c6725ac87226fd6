-- Every day that has a partition, with its pages.
SELECT
    parent.relname, to_date(right(child.relname, 8), 'YYYYMMDD') AS day,
    coalesce(pg_relation_size(child.oid), 0) / current_setting('block_size')::int8
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.oid = ANY (%(tables)s::text[]::regclass[]) AND child.relname ~ '_[0-9]{8}$'
ORDER BY day, parent.relname
