SELECT feed, reason, count(*) FROM quarantine GROUP BY feed, reason ORDER BY count(*) DESC, feed, reason LIMIT 20
