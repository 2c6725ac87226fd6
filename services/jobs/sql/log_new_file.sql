INSERT INTO log_files (source, path, head_bytes, head_sha256, seen_at)
VALUES (%(source)s, %(path)s, %(head_bytes)s, %(head_sha256)s, %(seen_at)s)
RETURNING log_file_id
