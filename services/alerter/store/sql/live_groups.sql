SELECT * FROM groups ORDER BY opened_s, "key"
