-- Ticks stored so far, by kind.
SELECT kind, sum(stored)::int8 FROM marks GROUP BY kind
