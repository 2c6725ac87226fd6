SELECT day FROM archives WHERE tick_table = %(tick_table)s AND dropped_at IS NOT NULL
