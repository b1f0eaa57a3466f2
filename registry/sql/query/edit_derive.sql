INSERT INTO incoming ({key}, {columns}, valid)
SELECT {new_id}, {edited}, valid * {days}
FROM {versions}
WHERE {key} = {object_id} AND upper_inf(recorded) AND valid && {days}
