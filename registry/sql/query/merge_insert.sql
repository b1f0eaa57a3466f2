INSERT INTO {versions} ({key}, {columns})
SELECT {key}, {columns} FROM {incoming}
