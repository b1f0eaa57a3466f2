SELECT array_agg(segment_id ORDER BY segment_id) FROM registry.segment WHERE segment_id = ANY(%s)
