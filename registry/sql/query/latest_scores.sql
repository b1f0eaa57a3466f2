SELECT r.run_id, r.kind, r.name, r.made_at, r.actor, r.as_of, r.known_at, r.registry_version, r.code_version,
       r.policy, r.summary
FROM registry.run AS r
WHERE r.summary ? 'usual'
  AND (%(known_at)s::timestamptz IS NULL OR r.made_at <= %(known_at)s)
  AND (%(name)s::text IS NULL OR r.name = %(name)s)
  -- what a model ranked that did not pass is read only where it is asked for
  AND (%(with_forced)s OR %(name)s::text IS NOT NULL OR coalesce(r.summary #>> '{ranking,reason}', '') <> 'forced')
  AND EXISTS (SELECT FROM registry.run_scores AS s WHERE s.run_id = r.run_id AND s.segment_id = %(segment)s)
ORDER BY r.organisation IS NOT DISTINCT FROM registry_app.organisation() DESC, r.made_at DESC
LIMIT 1
