SELECT segment_id, geom::bytea AS geometry FROM registry_app.segment_at({as_of}::date, NULL::timestamptz)
