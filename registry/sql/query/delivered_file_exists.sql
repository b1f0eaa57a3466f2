SELECT registry_app.file_is_kept(%s)
