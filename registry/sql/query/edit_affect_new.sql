INSERT INTO affected ({key}, valid)
SELECT {key}, valid FROM incoming WHERE {key} = {new_id}
