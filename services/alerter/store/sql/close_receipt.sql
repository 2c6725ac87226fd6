UPDATE deliveries SET receipt = '' WHERE delivery_id = :delivery_id
