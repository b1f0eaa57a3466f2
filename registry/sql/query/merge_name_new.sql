INSERT INTO {identity} ({key})
SELECT {key} FROM {incoming}
ON CONFLICT DO NOTHING
