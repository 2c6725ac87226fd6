SELECT * FROM disabled
