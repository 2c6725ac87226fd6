SELECT count(*) FROM leases
