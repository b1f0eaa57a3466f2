CREATE TEMP TABLE incoming ON COMMIT DROP AS
SELECT {key}, {columns}, valid FROM {versions} LIMIT 0
