SELECT DISTINCT t.instant
FROM {versions} AS v
JOIN touched ON touched.object_id = v.{key}
CROSS JOIN LATERAL (VALUES (lower(v.recorded)), (upper(v.recorded))) AS t (instant)
-- what was taken back, and the undo that did it, cancel each other
JOIN registry.delivery AS d ON d.applied_at = t.instant AND d.state = 'accepted' AND d.action <> 'undo'
WHERE t.instant > touched.instant
