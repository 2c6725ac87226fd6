-- Bring what events stand for to what the file says.
WITH said AS (
    SELECT event, meaning FROM unnest(%(events)s::text[], %(meanings)s::text[]) AS s (event, meaning)
), dropped AS (
    DELETE FROM log_meanings AS m
    WHERE NOT EXISTS (SELECT FROM said AS s WHERE s.event = m.event AND s.meaning = m.meaning)
)
INSERT INTO log_meanings (event, meaning)
SELECT event, meaning FROM said ORDER BY event, meaning
ON CONFLICT DO NOTHING
