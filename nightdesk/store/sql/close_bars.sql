-- A bar is closed once a later minute of its symbol has begun.
UPDATE bars AS b
SET closed = true
FROM unnest(%(symbol)s::int4[], %(minute)s::int8[]) AS newest (symbol_id, minute)
WHERE b.symbol_id = newest.symbol_id AND NOT b.closed AND b.time < to_timestamp(newest.minute * 60)
