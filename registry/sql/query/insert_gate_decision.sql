INSERT INTO registry.gate_decision (
    decision_id, run_id, actor, organisation, as_of, known_at, code_version, policy_hash, data_stamps, windows, models,
    ships, candidate, criteria
) VALUES (
    %(decision_id)s, %(run_id)s, registry_app.actor(%(actor)s), registry_app.organisation(), %(as_of)s, %(known_at)s,
    %(code_version)s, %(policy_hash)s, %(data_stamps)s, %(windows)s, %(models)s, %(ships)s, %(candidate)s, %(criteria)s
)
