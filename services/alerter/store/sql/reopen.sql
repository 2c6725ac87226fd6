UPDATE deliveries SET state = 'queued', ended_s = NULL, due_s = :now_s WHERE delivery_id = :delivery_id
