SELECT job, state, runs FROM run_totals WHERE job = ANY (%(jobs)s::text[])
