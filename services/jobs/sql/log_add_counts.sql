INSERT INTO log_counts AS c (day, service, level, event, lines)
SELECT * FROM unnest(%(days)s::date[], %(services)s::text[], %(levels)s::text[], %(events)s::text[], %(lines)s::int8[])
ON CONFLICT (day, service, level, event) DO UPDATE SET lines = c.lines + excluded.lines
