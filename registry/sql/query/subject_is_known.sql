SELECT EXISTS (SELECT FROM registry.project WHERE project_id = %(project_id)s),
       %(segment_id)s::text IS NULL OR EXISTS (SELECT FROM registry.segment WHERE segment_id = %(segment_id)s)
