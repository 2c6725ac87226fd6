DELETE FROM alerts WHERE ended_s < :before_s AND is_end_told = 1
