SELECT registry_app.take_indexes_off(%(table)s::regclass) || registry_app.fix_defaults(%(table)s::regclass)
