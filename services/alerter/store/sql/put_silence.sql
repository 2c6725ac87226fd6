INSERT OR REPLACE INTO silences (silence_id, match, starts_s, ends_s, by, reason)
VALUES (:silence_id, :match, :starts_s, :ends_s, :by, :reason)
