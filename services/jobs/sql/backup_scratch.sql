SELECT datname FROM pg_database
WHERE datname LIKE %(prefix)s || '%%' AND pg_get_userbyid(datdba) = current_user
