-- The fence: only from where the reader believed the file to be.
UPDATE log_files
SET "offset" = %(following)s, lines = lines + %(lines)s, unparsed = unparsed + %(unparsed)s, last_at = %(last_at)s
WHERE log_file_id = %(log_file_id)s AND "offset" = %(previous)s
