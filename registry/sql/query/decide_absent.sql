SELECT array_agg(DISTINCT named.id)
FROM unnest(%(known)s::text[]) AS named (id)
WHERE NOT EXISTS (SELECT FROM candidate AS c WHERE c.{key} = named.id)
   OR EXISTS (
       SELECT FROM recognised AS r
       WHERE r.known_id = named.id AND r.class <> 'doubtful' AND NOT r.delivered_id = ANY(%(ids)s)
   )
