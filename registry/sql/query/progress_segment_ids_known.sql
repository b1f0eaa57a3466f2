SELECT segment_id FROM registry.segment WHERE segment_id = ANY(%s)
