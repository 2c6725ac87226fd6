-- Only while the gap is as it was looked at: what the feed brought late after all counts more.
UPDATE gaps SET
    state = %(state)s,
    quality = coalesce(nullif(%(quality)s, ''), quality),
    source = coalesce(nullif(%(source)s, ''), source),
    reason = %(reason)s,
    updated_at = now()
WHERE gap_id = %(gap_id)s AND state <> 'filled' AND missing::text IS NOT DISTINCT FROM %(missing)s::int8multirange::text
RETURNING gap_id
