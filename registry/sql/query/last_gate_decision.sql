-- what another organisation decided on rests on leaks that this one may not see
SELECT decision_id, run_id, made_at, actor, as_of, known_at, code_version, policy_hash, data_stamps, windows, models,
       ships, candidate, criteria
FROM registry.gate_decision
WHERE organisation IS NOT DISTINCT FROM registry_app.organisation()
  AND (%(known_at)s::timestamptz IS NULL OR made_at <= %(known_at)s)
ORDER BY made_at DESC
LIMIT 1
