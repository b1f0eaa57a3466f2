INSERT INTO incoming ({key}, {columns}, valid) SELECT {new_id}, {edited}, '(,)'::daterange
