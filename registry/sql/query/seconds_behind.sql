SELECT registry_app.seconds_behind()
