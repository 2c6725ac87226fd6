-- The start time tells the old owner's backend from another that was given its number since.
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
WHERE pid = %(backend_pid)s AND backend_start = %(backend_start)s AND pid <> pg_backend_pid()
