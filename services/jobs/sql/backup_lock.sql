SELECT pg_try_advisory_lock(hashtext('nightdesk.backup'))
