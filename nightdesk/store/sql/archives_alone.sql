UPDATE archives SET dropped_at = now(), restored_at = NULL WHERE dropped_at IS NULL
