UPDATE archives SET dropped_at = now(), restored_at = NULL WHERE tick_table = %(table)s AND day = %(day)s
