SELECT run_id, job, args FROM runs WHERE idempotency_key = %(idempotency_key)s
