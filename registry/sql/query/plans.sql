SELECT r.run_id, r.name, r.made_at, r.actor, r.organisation, r.as_of, r.known_at, r.registry_version, r.policy, r.summary,
       parent.name AS parent_name,
       (SELECT coalesce(max(d.registry_version), 0) FROM registry.delivery AS d
        WHERE d.applied_at IS NOT NULL AND d.registry_version <= r.registry_version
          AND (r.known_at IS NULL OR d.applied_at <= r.known_at)
          AND d.kind <> ALL(%(unread)s)) AS seen_version,
       (SELECT coalesce(max(d.registry_version), 0) FROM registry.delivery AS d
        WHERE d.applied_at IS NOT NULL AND d.kind <> ALL(%(unread)s)) AS last_version
FROM registry.run AS r LEFT JOIN registry.run AS parent ON parent.run_id = r.parent_id
WHERE r.kind = 'plan' AND (%(known_at)s::timestamptz IS NULL OR r.made_at <= %(known_at)s::timestamptz)
ORDER BY r.made_at DESC
