UPDATE log_files
SET path = %(path)s, head_bytes = %(head_bytes)s, head_sha256 = %(head_sha256)s, seen_at = %(seen_at)s
WHERE log_file_id = %(log_file_id)s
