-- Until the transaction ends, nobody else says which file is which.
SELECT pg_advisory_xact_lock(hashtext('nightdesk.log_files'))
