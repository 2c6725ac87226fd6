UPDATE leases SET expires_at = now() + %(lease_s)s * interval '1 second'
WHERE owner = %(worker)s
RETURNING consumer, epoch
