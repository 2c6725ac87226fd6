UPDATE leases SET owner = NULL, expires_at = '-infinity', backend_pid = NULL, backend_start = NULL
WHERE owner = %(worker)s AND consumer = ANY (%(consumers)s::text[])
