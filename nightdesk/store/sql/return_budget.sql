-- Give back what was taken for a call that will not be made.
UPDATE rate_budgets SET available = available + %(weight)s::float8, spent = spent - %(weight)s::float8
WHERE budget = %(budget)s
