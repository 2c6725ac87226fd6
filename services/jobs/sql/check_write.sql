-- A row that nobody reads, in a transaction that is rolled back.
INSERT INTO workers (worker, expires_at) VALUES ('check ' || pg_backend_pid(), '-infinity')
RETURNING worker
