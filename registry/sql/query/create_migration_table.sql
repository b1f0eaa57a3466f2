CREATE SCHEMA IF NOT EXISTS registry;
COMMENT ON SCHEMA registry IS 'The truth: what lies in the ground and how we know. Views and functions live in registry_app.';
CREATE TABLE registry.migration (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT migration_is_applied_once PRIMARY KEY (name)
);
COMMENT ON TABLE registry.migration IS 'Which numbered migration files this database has, and the hash of each as it ran.';
