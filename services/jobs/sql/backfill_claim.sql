-- A gap is one backfill's at a time, for as long as that one is connected. Only requests are saved by it: what is stored
-- twice is kept out by admission.
SELECT pg_try_advisory_lock(hashtext('nightdesk.gaps'), (%(gap_id)s::int8 %% 2147483647)::int4)
