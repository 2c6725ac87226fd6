INSERT OR REPLACE INTO groups ("key", "to", tier, is_always, opened_s, told_s, step, due_s, channels, dedup_key)
VALUES (:key, :to, :tier, :is_always, :opened_s, :told_s, :step, :due_s, :channels, :dedup_key)
