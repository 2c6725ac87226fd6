-- What the ledger knows to be missing of a symbol's trades around a day.
SELECT missing, (extract(epoch FROM from_time)::int8 / 60), (extract(epoch FROM to_time)::int8 / 60)
FROM gaps
WHERE symbol_id = %(symbol_id)s AND kind = 1 AND state <> 'filled'
    AND (from_time IS NULL OR from_time < %(to)s::timestamptz + interval '1 hour')
    AND (to_time IS NULL OR to_time >= %(from)s::timestamptz - interval '1 hour')
ORDER BY gap_id
