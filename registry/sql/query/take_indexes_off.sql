SELECT registry_app.take_indexes_off(%(table)s::regclass)
