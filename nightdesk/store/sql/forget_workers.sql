DELETE FROM workers WHERE worker = %(worker)s OR expires_at < now() - interval '1 hour'
