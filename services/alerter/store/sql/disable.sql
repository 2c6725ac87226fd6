INSERT INTO disabled (channel, since_s, again_s, failures, reason) VALUES (:channel, :now_s, :again_s, 1, :reason)
ON CONFLICT (channel) DO UPDATE SET again_s = excluded.again_s, failures = failures + 1, reason = excluded.reason
