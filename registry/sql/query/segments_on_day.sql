SELECT * FROM registry.segment_version
WHERE segment_id = ANY(%(ids)s) AND upper_inf(recorded) AND valid @> %(day)s::date
