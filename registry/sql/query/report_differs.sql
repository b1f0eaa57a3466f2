WITH kept AS (
         SELECT object_id, class, column_name, old_value, new_value, moved_m, known_id, relation, probability, reason
         FROM registry.change
         WHERE delivery_id = %(delivery_id)s
     ),
     fresh AS (
         SELECT object_id, class, column_name, old_value, new_value, moved_m, known_id, relation, probability, reason
         FROM report
     )
SELECT EXISTS (SELECT * FROM kept EXCEPT SELECT * FROM fresh) OR EXISTS (SELECT * FROM fresh EXCEPT SELECT * FROM kept)
