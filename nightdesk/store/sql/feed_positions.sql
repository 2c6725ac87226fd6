SELECT p.consumer, p.stream, p.entry_id, l.shard
FROM positions AS p
JOIN leases AS l USING (consumer)
WHERE l.feed = %(feed)s
ORDER BY p.consumer
