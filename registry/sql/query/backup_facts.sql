SELECT city, srid, timezone, now(), current_setting('server_version'),
       (SELECT extversion FROM pg_extension WHERE extname = 'postgis'), registry_app.state_hash()
FROM registry.info
