-- The feeds that there are.
SELECT feed FROM feeds ORDER BY feed
