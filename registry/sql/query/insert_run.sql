INSERT INTO registry.run (
    run_id, kind, name, actor, organisation, as_of, known_at, registry_version, code_version, policy, summary, parent_id
) VALUES (%s, %s, %s, registry_app.actor(%s), registry_app.organisation(), %s, %s, %s, %s, %s, %s, %s)
