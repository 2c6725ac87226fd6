-- Two who measure a day store one after the other.
SELECT pg_advisory_xact_lock(hashtext('nightdesk.facts'), %(day)s::date - DATE '2000-01-01')
