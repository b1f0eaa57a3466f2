SELECT login, role, organisation, added_by, added_at FROM registry.member ORDER BY login
