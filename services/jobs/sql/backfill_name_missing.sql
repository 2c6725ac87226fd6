-- Which ids a gap in time lacks, now that they are known.
UPDATE gaps SET from_id = lower(%(missing)s::int8multirange), to_id = upper(%(missing)s::int8multirange) - 1,
    missing = %(missing)s::int8multirange, updated_at = now()
WHERE gap_id = %(gap_id)s AND missing IS NULL
