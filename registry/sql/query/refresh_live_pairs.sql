SELECT project_count, segment_count, pavement_count FROM registry_app.refresh_live_pairs(%(as_of)s, %(reach)s)
