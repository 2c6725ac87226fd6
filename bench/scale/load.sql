-- Transactions committed so far.
SELECT xact_commit FROM pg_stat_database WHERE datname = 'nightdesk'
