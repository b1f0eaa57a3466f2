SELECT object_id, class, known_valid FROM verdict WHERE class <> 'unchanged'
