UPDATE registry.delivery SET state = 'accepted'
WHERE state = 'undone' AND delivery_id <> ALL(%(names)s) AND delivery_id IN (
    SELECT unnest(undoes) FROM registry.delivery WHERE delivery_id = ANY(%(names)s)
)
