INSERT INTO log_services AS s (source, service, first_at, last_at)
SELECT %(source)s, service, first_at, last_at
FROM unnest(%(services)s::text[], %(first_at)s::timestamptz[], %(last_at)s::timestamptz[])
    AS heard (service, first_at, last_at)
ON CONFLICT (source, service) DO UPDATE SET
    first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)
