-- Every table that holds rows, days of ticks included: whatever PostgreSQL holds may be nowhere else, archived day or not.
SELECT relname
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
ORDER BY relname
