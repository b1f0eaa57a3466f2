SELECT min(context_id) FROM registry_app.context_object_at(%(as_of)s, %(known_at)s) GROUP BY kind
