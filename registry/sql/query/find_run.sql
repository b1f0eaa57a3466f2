SELECT run_id, kind, name, made_at, actor, as_of, known_at, registry_version, code_version, policy, summary
FROM registry.run
WHERE kind = %(kind)s AND (%(name)s::text IS NULL OR name = %(name)s)
ORDER BY organisation IS NOT DISTINCT FROM registry_app.organisation() DESC, made_at DESC
LIMIT 1
