-- Schedulers write down what they decided one after another; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(hashtext('nightdesk.turns'))
