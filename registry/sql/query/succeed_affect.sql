INSERT INTO affected ({key}, valid)
SELECT DISTINCT known_id, daterange({first_day}, NULL) FROM succession
