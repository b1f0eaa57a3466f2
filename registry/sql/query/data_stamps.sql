-- the last delivery of each kind; an edit by hand and an undo are deliveries too
SELECT kind, max(registry_version)
FROM registry.delivery
WHERE applied_at IS NOT NULL AND kind = ANY(%(kinds)s)
  AND (%(known_at)s::timestamptz IS NULL OR applied_at <= %(known_at)s)
GROUP BY kind
