SELECT p.consumer, p.stream, p.entry_id, l.feed, l.shard
FROM positions AS p
JOIN leases AS l USING (consumer)
WHERE l.owner = %(worker)s AND p.consumer = ANY (%(consumers)s::text[])
ORDER BY p.consumer
