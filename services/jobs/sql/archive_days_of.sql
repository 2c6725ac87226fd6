SELECT tick_table FROM archives WHERE day = %(day)s ORDER BY tick_table
