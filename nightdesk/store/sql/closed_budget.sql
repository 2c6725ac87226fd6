SELECT CASE WHEN closed_until > coalesce(%(at)s::timestamptz, clock_timestamp())
    THEN extract(epoch FROM closed_until - coalesce(%(at)s::timestamptz, clock_timestamp()))::float8 ELSE 0 END
FROM rate_budgets WHERE budget = %(budget)s
