SELECT pg_advisory_lock(hashtext('nightdesk.archive'), hashtext(%(table)s || %(day)s))
