INSERT INTO log_errors AS e
    (day, fingerprint, service, level, event, template, sample, lines, first_at, last_at)
SELECT * FROM unnest(
    %(days)s::date[], %(fingerprints)s::text[], %(services)s::text[], %(levels)s::text[], %(events)s::text[],
    %(templates)s::text[], %(samples)s::text[], %(lines)s::int8[], %(first_at)s::timestamptz[], %(last_at)s::timestamptz[]
)
ON CONFLICT (day, fingerprint) DO UPDATE SET
    lines = e.lines + excluded.lines,
    first_at = least(e.first_at, excluded.first_at),
    last_at = greatest(e.last_at, excluded.last_at)
