DELETE FROM groups WHERE "key" = :key
