SELECT nspname FROM pg_namespace WHERE nspname IN ('registry', 'registry_app')
