INSERT INTO archives AS a (tick_table, day, location, rows, bytes, checksum, file_sha256)
VALUES (%(table)s, %(day)s, %(location)s, %(rows)s, %(bytes)s, %(checksum)s, %(file_sha256)s)
ON CONFLICT (tick_table, day) DO UPDATE
SET
    location = excluded.location, rows = excluded.rows, bytes = excluded.bytes, checksum = excluded.checksum,
    file_sha256 = excluded.file_sha256, archived_at = now()
