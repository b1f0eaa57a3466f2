-- Saving a run raises the version too; what a run saw of the data is the last delivery before it
SELECT coalesce(max(registry_version), 0)
FROM registry.delivery
WHERE applied_at IS NOT NULL AND registry_version <= %(version)s
  AND (%(known_at)s::timestamptz IS NULL OR applied_at <= %(known_at)s::timestamptz)
