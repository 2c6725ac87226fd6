-- The jobs that have runs.
SELECT DISTINCT job FROM run_totals ORDER BY job
