INSERT INTO {versions} ({key}, {columns}, valid)
SELECT {key}, {columns}, valid FROM incoming
