SELECT location, rows, bytes, checksum, file_sha256, dropped_at IS NULL
FROM archives
WHERE tick_table = %(table)s AND day = %(day)s
