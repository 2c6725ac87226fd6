SELECT pg_database_size(oid) FROM pg_database WHERE datname = coalesce(%(database)s, current_database())
