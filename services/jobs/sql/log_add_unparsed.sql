INSERT INTO log_unparsed AS u (day, source, reason, lines, samples)
SELECT day, %(source)s, reason, lines, samples
FROM unnest(%(days)s::date[], %(reasons)s::text[], %(lines)s::int8[], %(samples)s::jsonb[])
    AS added (day, reason, lines, samples)
ON CONFLICT (day, source, reason) DO UPDATE SET
    lines = u.lines + excluded.lines,
    samples = (
        SELECT jsonb_agg(s.one ORDER BY s.place)
        FROM jsonb_array_elements(u.samples || excluded.samples) WITH ORDINALITY AS s (one, place)
        WHERE s.place <= %(most)s
    )
