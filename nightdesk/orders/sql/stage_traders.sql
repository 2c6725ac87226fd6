CREATE TEMPORARY TABLE staged (place int, name text, kind text) ON COMMIT DROP
