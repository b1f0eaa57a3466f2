SELECT max(greatest(lower(recorded), upper(recorded))) FROM {versions} WHERE {key} = {object_id}
