-- The file was read to its end, as it was then.
UPDATE log_files
SET stored_bytes = %(stored_bytes)s, modified_ns = %(modified_ns)s
WHERE log_file_id = %(log_file_id)s AND "offset" = %(offset)s
