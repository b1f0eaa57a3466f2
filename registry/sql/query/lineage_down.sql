WITH RECURSIVE down AS (
    SELECT l.*, 1 AS generation FROM registry.segment_lineage AS l WHERE l.parent_id = %s AND upper_inf(l.recorded)
    UNION
    SELECT l.*, down.generation + 1
    FROM registry.segment_lineage AS l JOIN down ON l.parent_id = down.child_id
    WHERE upper_inf(l.recorded)
    -- an id that was left may have been taken up again
) CYCLE parent_id, child_id SET is_round USING path
SELECT child_id AS segment_id, parent_id, relation, happened_on, parent_from_m, parent_to_m, generation,
       NOT EXISTS (
           SELECT FROM registry.segment_lineage AS l WHERE l.parent_id = down.child_id AND upper_inf(l.recorded)
       ) OR EXISTS (
           SELECT FROM registry.segment_version AS v
           WHERE v.segment_id = down.child_id AND upper_inf(v.recorded) AND upper_inf(v.valid)
       ) AS is_last
FROM down
WHERE NOT is_round
ORDER BY generation, parent_id, parent_from_m, segment_id
