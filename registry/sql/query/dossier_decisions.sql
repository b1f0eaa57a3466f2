SELECT d.decision_id, d.project_id, d.verdict, d.decided_on, d.decided_by, d.due_on, d.note
FROM registry_app.decision_at(%(as_of)s, %(known_at)s) AS d
-- a decision about a project is one about each segment that the last run found in it
WHERE d.segment_id = ANY(%(ids)s || %(parents)s::text[])
   OR (d.segment_id IS NULL AND EXISTS (
       SELECT FROM registry.run_pairs AS p
       WHERE p.project_id = d.project_id AND p.segment_id = ANY(%(ids)s) AND p.run_id = (
           SELECT run_id FROM registry.run
           WHERE kind IN ('overlap', 'plan') AND (%(known_at)s::timestamptz IS NULL OR made_at <= %(known_at)s)
           ORDER BY made_at DESC LIMIT 1
       )
   ))
ORDER BY d.decided_on, d.decision_id
