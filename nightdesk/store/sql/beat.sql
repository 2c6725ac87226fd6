INSERT INTO workers (worker, expires_at) VALUES (%(worker)s, now() + %(lease_s)s * interval '1 second')
ON CONFLICT (worker) DO UPDATE SET expires_at = excluded.expires_at
RETURNING (extract(epoch FROM clock_timestamp()) * 1000000)::int8
