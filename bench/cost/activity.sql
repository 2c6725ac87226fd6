-- Bytes of write-ahead log since the beginning, what its files take now, and transactions committed so far.
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8,
    (SELECT sum(size) FROM pg_ls_waldir())::int8,
    xact_commit
FROM pg_stat_database
WHERE datname = current_database()
