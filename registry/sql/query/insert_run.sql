INSERT INTO registry.run (run_id, kind, name, actor, as_of, known_at, registry_version, code_version, policy, summary)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
