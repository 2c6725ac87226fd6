-- Take weight out of a bucket that holds half of what a minute allows and refills with the other half, and say how long to
-- wait, in seconds, before the call it pays for.
INSERT INTO rate_budgets AS b (budget, available, at, spent)
VALUES (
    %(budget)s, %(weight_per_minute)s::float8 / 2 - %(weight)s::float8, coalesce(%(at)s::timestamptz, clock_timestamp()),
    %(weight)s::float8
)
ON CONFLICT (budget) DO UPDATE SET
    available = least(
        %(weight_per_minute)s::float8 / 2,
        b.available
            + greatest(0, extract(epoch FROM excluded.at - b.at)::float8) * %(weight_per_minute)s::float8 / 120
    ) - %(weight)s::float8,
    at = greatest(b.at, excluded.at),
    spent = b.spent + excluded.spent
RETURNING greatest(
    -available * 120 / %(weight_per_minute)s::float8,
    CASE WHEN closed_until > at THEN extract(epoch FROM closed_until - at)::float8 ELSE 0 END
)
