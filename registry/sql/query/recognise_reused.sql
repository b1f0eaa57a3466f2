-- an id that went on as another one is not given back by a mere delivery
INSERT INTO recognised (delivered_id, known_id, class, relation, reason)
SELECT w.object_id, w.object_id, 'doubtful', 'moved', {reason}
FROM verdict AS w
WHERE w.class IN ('added', 'reopened')
  AND EXISTS (SELECT FROM registry.segment_lineage AS l WHERE l.parent_id = w.object_id AND upper_inf(l.recorded))
  AND NOT EXISTS (SELECT FROM recognised AS r WHERE r.delivered_id = w.object_id)
