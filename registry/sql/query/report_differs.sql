WITH kept AS (
         SELECT object_id, class, column_name, old_value, new_value, moved_m, known_id, relation, probability, reason
         FROM registry.change
         WHERE delivery_id = %(delivery_id)s
     )
SELECT EXISTS (SELECT * FROM kept EXCEPT SELECT * FROM report) OR EXISTS (SELECT * FROM report EXCEPT SELECT * FROM kept)
