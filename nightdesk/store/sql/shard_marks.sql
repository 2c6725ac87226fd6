SELECT m.symbol_id, m.kind, m.mark, (extract(epoch FROM m.last_received_at) * 1000000)::int8, m.stored
FROM marks AS m
JOIN symbols AS s USING (symbol_id)
WHERE s.feed = %(feed)s AND s.shard = %(shard)s
ORDER BY m.symbol_id, m.kind
