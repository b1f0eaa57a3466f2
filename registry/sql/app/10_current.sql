-- What is true now and what was true then: one view and one function for each kind. Dropped and rebuilt at every migrate.

CREATE FUNCTION registry_app.segment_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.segment_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.segment_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
      AND coalesce(row.installed_year_min, 0) <= extract(year FROM as_of)::integer
$$;
COMMENT ON FUNCTION registry_app.segment_at(date, timestamptz) IS
    'Segments on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.segments WITH (security_invoker = true) AS
    SELECT row.*, ST_Length(row.geom) AS length_m FROM registry.segment_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.segments IS 'Segments as they are today, as known now.';

CREATE FUNCTION registry_app.node_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.node_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.node_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.node_at(date, timestamptz) IS
    'Nodes on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.nodes WITH (security_invoker = true) AS
    SELECT row.* FROM registry.node_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.nodes IS 'Nodes as they are today, as known now.';

CREATE FUNCTION registry_app.leak_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.leak_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.leak_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
      AND row.leaked_on <= as_of
$$;
COMMENT ON FUNCTION registry_app.leak_at(date, timestamptz) IS
    'Leaks on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.leaks WITH (security_invoker = true) AS
    SELECT row.* FROM registry.leak_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.leaks IS 'Leaks as they are today, as known now.';

CREATE FUNCTION registry_app.event_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.event_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.event_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
      AND row.happened_on <= as_of
$$;
COMMENT ON FUNCTION registry_app.event_at(date, timestamptz) IS
    'Events on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.events WITH (security_invoker = true) AS
    SELECT row.* FROM registry.event_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.events IS 'Events as they are today, as known now.';

CREATE FUNCTION registry_app.survey_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.survey_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.survey_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
      AND row.surveyed_on <= as_of
$$;
COMMENT ON FUNCTION registry_app.survey_at(date, timestamptz) IS
    'Leak surveys on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.surveys WITH (security_invoker = true) AS
    SELECT row.* FROM registry.survey_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.surveys IS 'Leak surveys as they are today, as known now.';

CREATE FUNCTION registry_app.project_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.project_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.project_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.project_at(date, timestamptz) IS
    'Projects on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.projects WITH (security_invoker = true) AS
    SELECT row.* FROM registry.project_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.projects IS 'Projects as they are today, as known now.';

CREATE FUNCTION registry_app.compound_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.compound_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.compound_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.compound_at(date, timestamptz) IS
    'Compounds on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.compounds WITH (security_invoker = true) AS
    SELECT row.* FROM registry.compound_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.compounds IS 'Compounds as they are today, as known now.';

CREATE FUNCTION registry_app.road_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.road_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.road_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.road_at(date, timestamptz) IS
    'Roads on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.roads WITH (security_invoker = true) AS
    SELECT row.* FROM registry.road_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.roads IS 'Roads as they are today, as known now.';

CREATE FUNCTION registry_app.building_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.building_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.building_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.building_at(date, timestamptz) IS
    'Buildings on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.buildings WITH (security_invoker = true) AS
    SELECT row.* FROM registry.building_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.buildings IS 'Buildings as they are today, as known now.';

CREATE FUNCTION registry_app.district_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.district_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.district_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.district_at(date, timestamptz) IS
    'Districts on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.districts WITH (security_invoker = true) AS
    SELECT row.* FROM registry.district_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.districts IS 'Districts as they are today, as known now.';

CREATE FUNCTION registry_app.customer_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.customer_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.customer_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.customer_at(date, timestamptz) IS
    'Customers on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.customers WITH (security_invoker = true) AS
    SELECT row.* FROM registry.customer_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.customers IS 'Customers as they are today, as known now.';

CREATE FUNCTION registry_app.riser_group_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.riser_group_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.riser_group_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.riser_group_at(date, timestamptz) IS
    'Risers on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.risers WITH (security_invoker = true) AS
    SELECT row.* FROM registry.riser_group_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.risers IS 'Risers as they are today, as known now.';

CREATE FUNCTION registry_app.valve_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.valve_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.valve_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.valve_at(date, timestamptz) IS
    'Valves on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.valves WITH (security_invoker = true) AS
    SELECT row.* FROM registry.valve_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.valves IS 'Valves as they are today, as known now.';

CREATE FUNCTION registry_app.context_object_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.context_object_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.context_object_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.context_object_at(date, timestamptz) IS
    'Context on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.context WITH (security_invoker = true) AS
    SELECT row.* FROM registry.context_object_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.context IS 'Context as they are today, as known now.';

CREATE FUNCTION registry_app.pavement_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.pavement_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.pavement_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.pavement_at(date, timestamptz) IS
    'Pavements on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.pavements WITH (security_invoker = true) AS
    SELECT row.* FROM registry.pavement_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.pavements IS 'Pavements as they are today, as known now.';

CREATE FUNCTION registry_app.moratorium_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.moratorium_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.moratorium_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.moratorium_at(date, timestamptz) IS
    'Dig bans on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.moratoria WITH (security_invoker = true) AS
    SELECT row.* FROM registry.moratorium_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.moratoria IS 'Dig bans as they are today, as known now.';

CREATE FUNCTION registry_app.decision_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.decision_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.decision_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
      AND row.decided_on <= as_of
$$;
COMMENT ON FUNCTION registry_app.decision_at(date, timestamptz) IS
    'Decisions on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.decisions WITH (security_invoker = true) AS
    SELECT row.* FROM registry.decision_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.decisions IS 'Decisions as they are today, as known now.';

CREATE FUNCTION registry_app.plan_state_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.plan_state_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.plan_state_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.plan_state_at(date, timestamptz) IS
    'Plan states on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.plan_states WITH (security_invoker = true) AS
    SELECT row.* FROM registry.plan_state_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.plan_states IS 'Plan states as they are today, as known now.';

CREATE FUNCTION registry_app.yearly_task_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.yearly_task_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.yearly_task_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
$$;
COMMENT ON FUNCTION registry_app.yearly_task_at(date, timestamptz) IS
    'Yearly tasks on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.tasks WITH (security_invoker = true) AS
    SELECT row.* FROM registry.yearly_task_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.tasks IS 'Yearly tasks as they are today, as known now.';

CREATE FUNCTION registry_app.progress_report_at(as_of date, known_at timestamptz)
RETURNS SETOF registry.progress_report_version
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT row.* FROM registry.progress_report_version AS row
    WHERE row.valid @> as_of
      AND CASE WHEN known_at IS NULL THEN upper_inf(row.recorded) ELSE row.recorded @> known_at END
      AND row.month <= as_of
$$;
COMMENT ON FUNCTION registry_app.progress_report_at(date, timestamptz) IS
    'Progress reports on a day, as known at an instant; without an instant as known now.';

CREATE VIEW registry_app.progress WITH (security_invoker = true) AS
    SELECT row.* FROM registry.progress_report_version AS row
    WHERE upper_inf(row.recorded) AND row.valid @> current_date;
COMMENT ON VIEW registry_app.progress IS 'Progress reports as they are today, as known now.';
