-- Live pairs follow the registry: what was recorded since the stamp is computed anew, and nothing else. As with the
-- queries by place, the functions run as the owner of the tables, so that the spatial index is used; they serve only those
-- who act for all organisations.

CREATE FUNCTION registry_app.project_reach(kind text, half_width_m double precision, reach jsonb)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(half_width_m, (reach -> 'half_width_m' ->> kind)::float8, (reach -> 'half_width_m' ->> 'unknown')::float8)
        + (reach ->> 'margin_m')::float8
$$;
COMMENT ON FUNCTION registry_app.project_reach(text, double precision, jsonb) IS
    'How far the corridor of a project reaches to either side of its centreline, in metres: half width and margin.';

CREATE FUNCTION registry_app.project_extent(kind text, half_width_m double precision, geom geometry, reach jsonb)
RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE
        WHEN ST_Dimension(geom) = 1
            THEN ST_Buffer(geom, registry_app.project_reach(kind, half_width_m, reach), 'quad_segs=8')
        WHEN ST_Dimension(geom) = 2 AND ST_IsValid(geom) THEN geom
        WHEN ST_Dimension(geom) = 2 THEN ST_CollectionExtract(ST_MakeValid(geom), 3)
    END
$$;
COMMENT ON FUNCTION registry_app.project_extent(text, double precision, geometry, jsonb) IS
    'Ground of a project: an area as it is drawn, a centreline as the corridor of its half width and the margin.';

CREATE FUNCTION registry_app.project_ground(project registry.project_version, day date, reach jsonb)
RETURNS geometry
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    corridor geometry := registry_app.project_extent(project.kind, project.half_width_m, project.geom, reach);
    near geometry;
    paved geometry;
    bare geometry;
BEGIN
    IF ST_Dimension(project.geom) IS DISTINCT FROM 1 OR project.street_name IS NULL THEN
        RETURN corridor;
    END IF;
    near := ST_Buffer(project.geom, (reach ->> 'pavement_reach_m')::float8, 'quad_segs=8');
    SELECT ST_Normalize(ST_CollectionExtract(ST_Intersection(ST_Union(p.geom), near), 3)) INTO paved
    FROM registry_app.pavement_at(day, NULL) AS p
    WHERE p.street_name = project.street_name AND ST_Intersects(p.geom, near);
    IF coalesce(ST_Area(paved), 0) = 0 THEN
        RETURN corridor;
    END IF;
    bare := ST_Difference(project.geom, paved);
    paved := ST_Buffer(paved, (reach ->> 'margin_m')::float8, 'quad_segs=8');
    -- where the drawing of the pavement leaves gaps under the line, the corridor stays
    RETURN CASE WHEN ST_IsEmpty(bare) THEN paved
        ELSE ST_Union(paved, registry_app.project_extent(project.kind, project.half_width_m, bare, reach)) END;
END
$$;
COMMENT ON FUNCTION registry_app.project_ground(registry.project_version, date, jsonb) IS
    'Ground of a project on a day: as project_extent has it, or the pavement of its street where one is known.';

CREATE FUNCTION registry_app.refresh_live_pairs(day date, new_reach jsonb)
RETURNS TABLE (project_count bigint, segment_count bigint, pavement_count bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET jit = off AS $$
DECLARE
    since timestamptz;
    until timestamptz := (SELECT coalesce(max(applied_at), '-infinity') FROM registry.delivery);
    changed_pavements text[];
    changed_projects text[];
    changed_segments text[];
    near_projects text[];
    widest double precision;
BEGIN
    IF registry_app.organisation() IS NOT NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'live pairs are kept by those who act for all organisations';
    END IF;
    SELECT s.known_at INTO since FROM registry.live_pair_stamp AS s WHERE s.as_of = day AND s.reach = new_reach FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    changed_pavements := ARRAY(
        SELECT v.pavement_id FROM registry.pavement_version AS v WHERE lower(v.recorded) > since
        UNION SELECT v.pavement_id FROM registry.pavement_version AS v
        WHERE NOT upper_inf(v.recorded) AND upper(v.recorded) > since
    );
    changed_projects := ARRAY(
        SELECT v.project_id FROM registry.project_version AS v WHERE lower(v.recorded) > since
        UNION SELECT v.project_id FROM registry.project_version AS v
        WHERE NOT upper_inf(v.recorded) AND upper(v.recorded) > since
        -- the street that a pavement had before counts as well
        UNION SELECT p.project_id FROM registry_app.project_at(day, NULL) AS p
        WHERE cardinality(changed_pavements) > 0 AND ST_Dimension(p.geom) = 1 AND p.street_name IN (
            SELECT v.street_name FROM registry.pavement_version AS v WHERE v.pavement_id = ANY(changed_pavements)
        )
    );
    changed_segments := ARRAY(
        SELECT v.segment_id FROM registry.segment_version AS v WHERE lower(v.recorded) > since
        UNION SELECT v.segment_id FROM registry.segment_version AS v
        WHERE NOT upper_inf(v.recorded) AND upper(v.recorded) > since
    );
    DELETE FROM registry.live_pair AS p WHERE p.project_id = ANY(changed_projects);
    DELETE FROM registry.live_pair AS p WHERE p.segment_id = ANY(changed_segments);
    INSERT INTO registry.live_pair (segment_id, project_id, overlap_m)
    SELECT found.segment_id, extent.project_id, found.overlap_m
    FROM (
        SELECT p.project_id, registry_app.project_ground(p, day, new_reach) AS geom
        FROM registry_app.project_at(day, NULL) AS p WHERE p.project_id = ANY(changed_projects)
        OFFSET 0
    ) AS extent
    CROSS JOIN LATERAL (
        SELECT s.segment_id, CASE WHEN ST_Covers(extent.geom, s.geom) THEN ST_Length(s.geom)
                                   ELSE ST_Length(ST_Intersection(s.geom, extent.geom)) END AS overlap_m
        FROM registry_app.segment_at(day, NULL) AS s WHERE ST_Intersects(s.geom, extent.geom)
        OFFSET 0
    ) AS found
    WHERE found.overlap_m > 1e-6;
    IF cardinality(changed_segments) > 0 THEN
        widest := (new_reach ->> 'margin_m')::float8 + greatest(
            (SELECT max(v.half_width_m) FROM registry.project_version AS v),
            (new_reach ->> 'pavement_reach_m')::float8,
            (SELECT max(w.value::float8) FROM jsonb_each_text(new_reach -> 'half_width_m') AS w)
        );
        near_projects := ARRAY(
            SELECT DISTINCT p.project_id
            FROM registry_app.segment_at(day, NULL) AS s, registry_app.project_at(day, NULL) AS p
            WHERE s.segment_id = ANY(changed_segments) AND p.project_id <> ALL(changed_projects)
              AND ST_DWithin(s.geom, p.geom, widest)
        );
        INSERT INTO registry.live_pair (segment_id, project_id, overlap_m)
        SELECT found.segment_id, extent.project_id, found.overlap_m
        FROM (
            SELECT p.project_id, registry_app.project_ground(p, day, new_reach) AS geom
            FROM registry_app.project_at(day, NULL) AS p WHERE p.project_id = ANY(near_projects)
            OFFSET 0
        ) AS extent
        CROSS JOIN LATERAL (
            SELECT s.segment_id, CASE WHEN ST_Covers(extent.geom, s.geom) THEN ST_Length(s.geom)
                                   ELSE ST_Length(ST_Intersection(s.geom, extent.geom)) END AS overlap_m
            FROM registry_app.segment_at(day, NULL) AS s
            WHERE s.segment_id = ANY(changed_segments) AND ST_Intersects(s.geom, extent.geom)
            OFFSET 0
        ) AS found
        WHERE found.overlap_m > 1e-6;
    END IF;
    UPDATE registry.live_pair_stamp AS s SET known_at = until;
    RETURN QUERY SELECT cardinality(changed_projects)::bigint, cardinality(changed_segments)::bigint,
        cardinality(changed_pavements)::bigint;
END
$$;
COMMENT ON FUNCTION registry_app.refresh_live_pairs(date, jsonb) IS
    'Compute the live pairs of what was recorded since their stamp; no row where day or widths differ from it.';
