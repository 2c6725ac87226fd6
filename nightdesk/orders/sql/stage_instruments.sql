CREATE TEMPORARY TABLE staged (place int, symbol text, name text, sector text) ON COMMIT DROP
