SELECT name, value FROM notes
