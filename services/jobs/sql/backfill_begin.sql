UPDATE gaps SET state = 'filling', tries = tries + 1, updated_at = now()
WHERE gap_id = %(gap_id)s AND state = ANY (%(states)s::text[])
RETURNING missing
