SELECT run_id, kind, name, made_at, actor, as_of, known_at, registry_version, code_version, summary
FROM registry.run
ORDER BY made_at DESC
