-- Who acts and for whom. What a login is comes from the catalogue and from registry.member, never from a setting that it
-- could set itself; only a session that may act as the owner of the registry anyhow (an admin, or a service that speaks
-- for several people) names actor and organisation by the settings digonce.actor and digonce.organisation.

CREATE FUNCTION registry_app.is_trusted() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role(session_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = 'registry'
$$;
COMMENT ON FUNCTION registry_app.is_trusted() IS
    'Whether the login of this session may act as the owner of the registry.';

CREATE FUNCTION registry_app.organisation() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN registry_app.is_trusted() THEN nullif(current_setting('digonce.organisation', true), '')
        -- who has the role but is no member is of no organisation: sees what is nobody's
        ELSE (SELECT CASE WHEN count(*) = 0 THEN '' ELSE max(organisation) END
              FROM registry.member WHERE login = session_user)
    END
$$;
COMMENT ON FUNCTION registry_app.organisation() IS
    'Organisation for which this session acts; NULL for all, empty for none.';

CREATE FUNCTION registry_app.actor(stated text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN registry_app.is_trusted() THEN stated ELSE session_user::text END
$$;
COMMENT ON FUNCTION registry_app.actor(text) IS
    'Who acts: the login; only a trusted session may say that it is somebody else.';

CREATE FUNCTION registry_app.may_edit() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT has_table_privilege('registry.segment_version', 'INSERT')
$$;
COMMENT ON FUNCTION registry_app.may_edit() IS
    'Whether the role of this session may change what is known of the ground: an editor or an admin.';

CREATE FUNCTION registry_app.ids_of_others(version_table regclass, ids text[], organisation text) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    acting_for text := coalesce(registry_app.organisation(), organisation);
    id_column text;
    found text[];
BEGIN
    SELECT a.attname INTO id_column
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.oid = version_table AND c.relnamespace = 'registry'::regnamespace AND a.attnum = 1
      AND c.relname LIKE '%\_version';
    EXECUTE format(
        'SELECT array_agg(DISTINCT %1$I ORDER BY %1$I) FROM %2$s WHERE %1$I = ANY($1) AND owner IS DISTINCT FROM $2',
        id_column, version_table
    ) INTO found USING ids, acting_for;
    RETURN coalesce(found, '{}');
END
$$;
COMMENT ON FUNCTION registry_app.ids_of_others(regclass, text[], text) IS
    'Which of these ids are or were of objects that the organisation does not own: nothing more is said of them.';

CREATE FUNCTION registry_app.file_is_kept(sha256 text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM registry.delivered_file WHERE file_sha256 = sha256)
$$;
COMMENT ON FUNCTION registry_app.file_is_kept(text) IS
    'Whether a file of this content is kept, whoever delivered it: it is kept once.';

CREATE FUNCTION registry_app.seconds_behind() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(extract(epoch FROM max(applied_at) - clock_timestamp()), -1)::double precision FROM registry.delivery
$$;
COMMENT ON FUNCTION registry_app.seconds_behind() IS
    'By how much the clock is behind the last delivery, whoever made it; negative where it is ahead.';
