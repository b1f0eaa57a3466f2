SELECT run_id, name, organisation, summary
FROM registry.run
WHERE kind = 'plan' AND name = %s
ORDER BY organisation IS NOT DISTINCT FROM registry_app.organisation() DESC, made_at DESC
LIMIT 1
