INSERT INTO registry.confirmation (delivery_id, object_ids)
SELECT %(delivery_id)s, array_agg(said.id)
FROM unnest(%(ids)s::text[]) AS said (id)
WHERE NOT EXISTS (SELECT FROM verdict AS w WHERE w.object_id = said.id)
HAVING count(*) > 0
