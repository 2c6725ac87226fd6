SELECT log_file_id, path, head_bytes, head_sha256, "offset", last_at, stored_bytes, modified_ns
FROM log_files
