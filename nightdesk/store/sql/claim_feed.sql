INSERT INTO feeds (feed, shards) VALUES (%(feed)s, %(shards)s)
ON CONFLICT (feed) DO UPDATE SET shards = feeds.shards
RETURNING shards
