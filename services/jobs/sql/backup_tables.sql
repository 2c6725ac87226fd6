-- Every table that holds rows, and whether they are in a file of the archive as well.
SELECT
    table_class.relname,
    EXISTS (
        SELECT FROM archives
        WHERE table_class.relname = archives.tick_table || to_char(archives.day, '_YYYYMMDD')
    )
FROM pg_class AS table_class
WHERE table_class.relnamespace = 'public'::regnamespace AND table_class.relkind = 'r'
ORDER BY table_class.relname
