SELECT parent_id, child_id, relation, parent_from_m, parent_to_m, child_from_m, child_to_m
FROM registry.segment_lineage
WHERE happened_on <= %(as_of)s
  AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known_at)s::timestamptz END
ORDER BY parent_id, parent_from_m, child_id
