-- The missing ids of every trade gap that was not filled.
SELECT s.symbol, lower(run), upper(run) - 1
FROM gaps AS g
JOIN symbols AS s USING (symbol_id), unnest(g.missing) AS run
WHERE s.feed = %(feed)s AND g.kind = %(kind)s AND g.state <> 'filled'
