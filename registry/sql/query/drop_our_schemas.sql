DROP SCHEMA IF EXISTS registry_app, registry CASCADE
