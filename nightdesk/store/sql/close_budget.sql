-- Nobody asks for so long: the exchange said so.
UPDATE rate_budgets
SET closed_until = greatest(
    closed_until, coalesce(%(at)s::timestamptz, clock_timestamp()) + %(seconds)s::float8 * interval '1 second'
)
WHERE budget = %(budget)s
