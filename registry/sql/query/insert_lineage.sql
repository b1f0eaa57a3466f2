INSERT INTO registry.segment_lineage (
    parent_id, child_id, relation, happened_on, parent_from_m, parent_to_m, child_from_m, child_to_m
) VALUES (
    %(parent_id)s, %(child_id)s, %(relation)s, %(day)s,
    %(parent_from_m)s, %(parent_to_m)s, %(child_from_m)s, %(child_to_m)s
)
