DELETE FROM log_files WHERE seen_at < %(before)s
