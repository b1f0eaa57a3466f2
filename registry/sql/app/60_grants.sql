-- Who may do what, given anew at every migrate: whatever other roles of digonce held (those of the registry that this
-- database was copied from) is taken back first. The names of the four roles come from the settings digonce.role_*, which
-- are empty where the server has no such roles: then the registry belongs to its owner alone.

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA registry_app FROM PUBLIC;

DO $$
DECLARE
    reader constant text := nullif(current_setting('digonce.role_reader', true), '');
    planner constant text := nullif(current_setting('digonce.role_planner', true), '');
    editor constant text := nullif(current_setting('digonce.role_editor', true), '');
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT r.rolname
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE c.relnamespace = 'registry'::regnamespace AND r.oid <> c.relowner AND r.rolname LIKE 'digonce\_%'
    LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA registry FROM %I', held.rolname);
        EXECUTE format('REVOKE ALL ON SCHEMA registry FROM %I', held.rolname);
    END LOOP;
    IF reader IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA registry, registry_app TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA registry, registry_app TO %I', reader);
    EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry_app TO %I', reader);
    -- what tells of rows that one may not see is for those who would write them
    EXECUTE format('REVOKE EXECUTE ON FUNCTION registry_app.ids_of_others, registry_app.file_is_kept FROM %I', reader);
    EXECUTE format('GRANT EXECUTE ON FUNCTION registry_app.ids_of_others TO %I', planner);
    EXECUTE format('GRANT EXECUTE ON FUNCTION registry_app.ids_of_others, registry_app.file_is_kept TO %I', editor);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION registry_app.refresh_live_pairs FROM %I', reader);
    EXECUTE format('GRANT EXECUTE ON FUNCTION registry_app.refresh_live_pairs TO %I', planner);
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON registry.live_pair, registry.live_pair_stamp TO %I', planner);
    -- what a meeting decided; policies let planners add to it alone
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON registry.decision_version TO %I', planner);
    EXECUTE format('GRANT INSERT ON registry.decision, registry.delivery TO %I', planner);
    -- where a plan stands; policies keep planners from adopting
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON registry.plan_state_version TO %I', planner);
    EXECUTE format('GRANT INSERT ON registry.plan_state TO %I', planner);
    EXECUTE format('GRANT INSERT ON registry.gate_decision TO %I', planner);
    -- every writing transaction counts the registry's version up
    EXECUTE format('GRANT UPDATE (version) ON registry.info TO %I', planner);
    FOR held IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'registry'::regnamespace AND relkind = 'r' AND (relname = 'run' OR relname LIKE 'run\_%')
    LOOP
        EXECUTE format('GRANT INSERT, DELETE ON registry.%I TO %I', held.relname, planner);
    END LOOP;
    FOR held IN
        SELECT relname, left(relname, -8) AS identity FROM pg_class
        WHERE relnamespace = 'registry'::regnamespace AND relkind = 'r' AND relname LIKE '%\_version'
    LOOP
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON registry.%I TO %I', held.relname, editor);
        EXECUTE format('GRANT INSERT ON registry.%I TO %I', held.identity, editor);
    END LOOP;
    EXECUTE format('GRANT INSERT, UPDATE ON registry.delivery, registry.held_row, registry.segment_lineage TO %I', editor);
    EXECUTE format('GRANT INSERT ON registry.held_fault, registry.confirmation TO %I', editor);
    EXECUTE format('GRANT INSERT, DELETE ON registry.change, registry.delivered_file, registry.waiting_part TO %I', editor);
    EXECUTE format('GRANT UPDATE (settled_by) ON registry.change TO %I', editor);
END
$$;
