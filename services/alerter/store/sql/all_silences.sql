SELECT * FROM silences WHERE (:all = 1 OR ends_s > :now_s) ORDER BY silence_id DESC LIMIT 500
