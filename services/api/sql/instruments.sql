-- Instruments, the newest first.
SELECT instrument_id, symbol, name, sector, recorded_at
FROM instruments
WHERE (%(before)s::bigint IS NULL OR instrument_id < %(before)s)
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(sector)s::text IS NULL OR sector = %(sector)s)
ORDER BY instrument_id DESC
LIMIT %(limit)s
