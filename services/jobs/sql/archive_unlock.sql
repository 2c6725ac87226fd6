SELECT pg_advisory_unlock(hashtext('nightdesk.archive'), hashtext(%(table)s || %(day)s))
