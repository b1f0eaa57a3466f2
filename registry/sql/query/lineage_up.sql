WITH RECURSIVE up AS (
    SELECT l.*, 1 AS generation FROM registry.segment_lineage AS l WHERE l.child_id = %s AND upper_inf(l.recorded)
    UNION
    SELECT l.*, up.generation + 1
    FROM registry.segment_lineage AS l JOIN up ON l.child_id = up.parent_id
    WHERE upper_inf(l.recorded)
) CYCLE parent_id, child_id SET is_round USING path
SELECT parent_id AS segment_id, child_id, relation, happened_on, child_from_m, child_to_m, generation
FROM up
WHERE NOT is_round
ORDER BY generation, child_id, child_from_m, segment_id
