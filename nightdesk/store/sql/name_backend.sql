UPDATE leases SET backend_pid = %(backend_pid)s, backend_start = %(backend_start)s WHERE owner = %(worker)s
