WITH reopened AS (
         SELECT parent_id, child_id, relation, happened_on, parent_from_m, parent_to_m, child_from_m, child_to_m
         FROM registry.segment_lineage
         WHERE upper(recorded) = ANY(%(instants)s) AND NOT lower(recorded) = ANY(%(instants)s)
     ),
     closed AS (
         UPDATE registry.segment_lineage SET recorded = tstzrange(lower(recorded), now())
         WHERE upper_inf(recorded) AND lower(recorded) = ANY(%(instants)s)
     )
INSERT INTO registry.segment_lineage (
    parent_id, child_id, relation, happened_on, parent_from_m, parent_to_m, child_from_m, child_to_m
) SELECT * FROM reopened
