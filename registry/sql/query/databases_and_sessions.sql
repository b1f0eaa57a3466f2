-- Every database, with the numbers of all sessions of the server: also those of other databases and other users.
SELECT datname, (SELECT coalesce(array_agg(pid), '{}') FROM pg_stat_activity) FROM pg_database
