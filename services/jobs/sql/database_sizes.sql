SELECT pg_database_size(current_database()), (SELECT coalesce(sum(bytes), 0)::int8 FROM archives)
