UPDATE deliveries SET state = :state, ended_s = :now_s, receipt = :receipt WHERE delivery_id = :delivery_id
