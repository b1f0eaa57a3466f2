SELECT lower(valid) FROM {versions}
WHERE {key} = {object_id} AND upper_inf(recorded) AND valid @> ({day}::date - 1)
