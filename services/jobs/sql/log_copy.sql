COPY log_events (log_file_id, "offset", time, service, level, event, message, fingerprint, fields)
FROM STDIN (FORMAT binary)
