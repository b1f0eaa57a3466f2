INSERT INTO registry.segment_lineage (
    parent_id, child_id, relation, happened_on, parent_from_m, parent_to_m, child_from_m, child_to_m
)
SELECT known_id, delivered_id, CASE class WHEN 'renumbered' THEN 'renumber' WHEN 'merged' THEN 'merge' ELSE class END,
       {first_day}, parent_from_m, parent_to_m, child_from_m, child_to_m
FROM succession
WHERE known_id <> delivered_id
