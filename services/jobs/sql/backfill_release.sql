SELECT pg_advisory_unlock(hashtext('nightdesk.gaps'), (%(gap_id)s::int8 %% 2147483647)::int4)
