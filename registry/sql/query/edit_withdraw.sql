INSERT INTO affected ({key}, valid)
SELECT {key}, valid * {days}
FROM {versions}
WHERE {key} = {object_id} AND upper_inf(recorded) AND valid && {days}
