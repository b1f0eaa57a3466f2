INSERT INTO registry.change (
    delivery_id, object_id, class, column_name, old_value, new_value, moved_m, owner, known_id, relation, probability,
    reason
)
SELECT %(delivery_id)s, object_id, class, column_name, old_value, new_value, moved_m, owner, known_id, relation,
       probability, reason
FROM report
WHERE class = ANY(%(classes)s)
