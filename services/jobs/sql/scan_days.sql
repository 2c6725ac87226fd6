-- A symbol's completed days, from its bars within the stretches in which its exchange was open.
SELECT w.day, (array_agg(b.close ORDER BY b.time DESC))[1], sum(b.volume)
FROM unnest(%(days)s::date[], %(opens)s::timestamptz[], %(closes)s::timestamptz[]) AS w (day, opens, closes)
JOIN symbols AS s ON s.feed = %(feed)s AND s.symbol = %(symbol)s
JOIN bars AS b ON b.symbol_id = s.symbol_id AND b.time >= w.opens AND b.time < w.closes
GROUP BY w.day
ORDER BY w.day
