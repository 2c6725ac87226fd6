-- What replication slots keep of the log, bytes: one that nobody reads fills the disk.
SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::int8 FROM pg_replication_slots
