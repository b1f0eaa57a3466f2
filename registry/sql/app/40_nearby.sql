-- What lies in a box or nearest to a point. The operators of PostGIS are not LEAKPROOF, so PostgreSQL asks the policies
-- of a table before it looks at a place: the spatial index goes unused. These functions run as the owner of the tables,
-- whom the policies let pass, use the index, and filter by organisation themselves. Reviewed rules: the search path is
-- pinned, no text becomes SQL, the filter is that of the policy of the same table (a test compares them row by row).

CREATE FUNCTION registry_app.segments_in_box(
    min_x double precision, min_y double precision, max_x double precision, max_y double precision,
    as_of date, known_at timestamptz
)
RETURNS SETOF registry.segment_version
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    acting_for text := registry_app.organisation();
    box geometry := ST_MakeEnvelope(min_x, min_y, max_x, max_y, (SELECT srid FROM registry.info));
BEGIN
    RETURN QUERY SELECT row.* FROM registry_app.segment_at(as_of, known_at) AS row
    WHERE row.geom && box AND (acting_for IS NULL OR row.owner IS NULL OR row.owner = acting_for);
END
$$;
COMMENT ON FUNCTION registry_app.segments_in_box(double precision, double precision, double precision, double precision, date, timestamptz) IS
    'Segments of a day whose box meets a box of the working CRS, of those that this session may see.';

CREATE FUNCTION registry_app.nodes_in_box(
    min_x double precision, min_y double precision, max_x double precision, max_y double precision,
    as_of date, known_at timestamptz
)
RETURNS SETOF registry.node_version
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    acting_for text := registry_app.organisation();
    box geometry := ST_MakeEnvelope(min_x, min_y, max_x, max_y, (SELECT srid FROM registry.info));
BEGIN
    RETURN QUERY SELECT row.* FROM registry_app.node_at(as_of, known_at) AS row
    WHERE row.geom && box AND (acting_for IS NULL OR row.owner IS NULL OR row.owner = acting_for);
END
$$;
COMMENT ON FUNCTION registry_app.nodes_in_box(double precision, double precision, double precision, double precision, date, timestamptz) IS
    'Nodes of a day in a box of the working CRS, of those that this session may see.';

CREATE FUNCTION registry_app.leaks_in_box(
    min_x double precision, min_y double precision, max_x double precision, max_y double precision,
    as_of date, known_at timestamptz
)
RETURNS SETOF registry.leak_version
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    acting_for text := registry_app.organisation();
    box geometry := ST_MakeEnvelope(min_x, min_y, max_x, max_y, (SELECT srid FROM registry.info));
BEGIN
    RETURN QUERY SELECT row.* FROM registry_app.leak_at(as_of, known_at) AS row
    WHERE row.geom && box AND (acting_for IS NULL OR row.owner IS NULL OR row.owner = acting_for);
END
$$;
COMMENT ON FUNCTION registry_app.leaks_in_box(double precision, double precision, double precision, double precision, date, timestamptz) IS
    'Leaks known on a day in a box of the working CRS, of those that this session may see.';

CREATE FUNCTION registry_app.projects_in_box(
    min_x double precision, min_y double precision, max_x double precision, max_y double precision,
    as_of date, known_at timestamptz
)
RETURNS SETOF registry.project_version
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    box geometry := ST_MakeEnvelope(min_x, min_y, max_x, max_y, (SELECT srid FROM registry.info));
BEGIN
    -- projects are there to be known by everybody, whoever carries them out
    RETURN QUERY SELECT row.* FROM registry_app.project_at(as_of, known_at) AS row WHERE row.geom && box;
END
$$;
COMMENT ON FUNCTION registry_app.projects_in_box(double precision, double precision, double precision, double precision, date, timestamptz) IS
    'Projects of a day whose box meets a box of the working CRS.';

CREATE FUNCTION registry_app.segments_nearest(
    x double precision, y double precision, how_many integer, as_of date, known_at timestamptz
)
RETURNS SETOF registry.segment_version
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    acting_for text := registry_app.organisation();
    place geometry := ST_SetSRID(ST_MakePoint(x, y), (SELECT srid FROM registry.info));
BEGIN
    RETURN QUERY SELECT row.* FROM registry_app.segment_at(as_of, known_at) AS row
    WHERE acting_for IS NULL OR row.owner IS NULL OR row.owner = acting_for
    ORDER BY row.geom <-> place
    LIMIT how_many;
END
$$;
COMMENT ON FUNCTION registry_app.segments_nearest(double precision, double precision, integer, date, timestamptz) IS
    'The nearest segments of a day to a point of the working CRS, nearest first, of those that this session may see.';
