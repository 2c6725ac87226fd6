INSERT OR REPLACE INTO notes (name, value) VALUES (:name, :value)
