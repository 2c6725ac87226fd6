SELECT * FROM silences WHERE ends_s > :now_s ORDER BY silence_id
