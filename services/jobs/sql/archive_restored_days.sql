SELECT tick_table, day FROM archives WHERE restored_at > %(since)s
