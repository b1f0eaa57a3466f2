SELECT r.kind, r.name, r.run_id, r.made_at
FROM registry.run AS r
WHERE r.registry_version >= (SELECT min(registry_version) FROM registry.delivery WHERE delivery_id = ANY(%(deliveries)s))
ORDER BY r.made_at DESC
