UPDATE archives SET dropped_at = NULL, restored_at = now() WHERE tick_table = %(table)s AND day = %(day)s
