SELECT missing FROM gaps WHERE gap_id = %(gap_id)s
