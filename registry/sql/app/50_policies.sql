-- Row-level security by organisation: a member of one organisation sees its rows and those of nobody, and writes its own
-- alone. `(SELECT registry_app.organisation())` is asked once for a statement, not for each row. Every policy that reads a
-- column asks it, so that DROP SCHEMA registry_app takes all of these along; the others are dropped first.

DO $$
DECLARE
    mine constant text := '(SELECT registry_app.organisation())';
    -- announced works are there to be known by everybody: without them there is no overlap
    read_by_all constant text[] := ARRAY['project'];
    held record;
    sees text;
    writes constant text := format('%1$s IS NULL OR owner = %1$s', mine);
BEGIN
    FOR held IN
        SELECT p.polname AS name, p.polrelid::regclass AS subject
        FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
        WHERE c.relnamespace = 'registry'::regnamespace
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', held.name, held.subject);
    END LOOP;
    FOR held IN
        SELECT v.relname AS version, left(v.relname, -8) AS identity, quote_ident(left(v.relname, -8) || '_id') AS id
        FROM pg_class AS v JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attname = 'owner'
        WHERE v.relnamespace = 'registry'::regnamespace AND v.relrowsecurity AND v.relname LIKE '%\_version'
    LOOP
        sees := CASE WHEN held.identity = ANY(read_by_all) THEN 'true'
                     ELSE format('%1$s IS NULL OR owner IS NULL OR owner = %1$s', mine) END;
        EXECUTE format('CREATE POLICY sees_own_and_unowned ON registry.%I FOR SELECT USING (%s)', held.version, sees);
        EXECUTE format('CREATE POLICY adds_own ON registry.%I FOR INSERT WITH CHECK (%s)', held.version, writes);
        EXECUTE format('CREATE POLICY changes_own ON registry.%I FOR UPDATE USING (%2$s) WITH CHECK (%2$s)',
                       held.version, writes);
        EXECUTE format('CREATE POLICY removes_own ON registry.%I FOR DELETE USING (%s)', held.version, writes);
        EXECUTE format(
            'CREATE POLICY sees_what_has_a_version ON registry.%1$I FOR SELECT USING '
            '(%2$s IS NULL OR EXISTS (SELECT FROM registry.%3$I AS v WHERE v.%4$s = %1$I.%4$s))',
            held.identity, mine, held.version, held.id
        );
        EXECUTE format('CREATE POLICY names ON registry.%I FOR INSERT WITH CHECK (true)', held.identity);
    END LOOP;
    FOR held IN
        SELECT c.relname AS name FROM pg_class AS c
        WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind = 'r' AND c.relname LIKE 'run\_%'
    LOOP
        EXECUTE format('CREATE POLICY belongs_to_a_run ON registry.%1$I USING '
                       '(%2$s IS NULL OR EXISTS (SELECT FROM registry.run AS r WHERE r.run_id = %1$I.run_id))',
                       held.name, mine);
    END LOOP;
END
$$;

CREATE POLICY sees_own_and_of_all ON registry.delivery FOR SELECT USING (
    (SELECT registry_app.organisation()) IS NULL OR organisation IS NULL
    OR organisation = (SELECT registry_app.organisation())
);
CREATE POLICY adds_in_own_name ON registry.delivery FOR INSERT WITH CHECK (
    actor = registry_app.actor(actor)
    AND ((SELECT registry_app.organisation()) IS NULL OR organisation = (SELECT registry_app.organisation()))
);
CREATE POLICY records_meetings_or_edits ON registry.delivery AS RESTRICTIVE FOR INSERT WITH CHECK (
    action IN ('meeting', 'propose', 'withdraw') OR registry_app.may_edit()
);
CREATE POLICY changes_own ON registry.delivery FOR UPDATE
    USING ((SELECT registry_app.organisation()) IS NULL OR organisation = (SELECT registry_app.organisation()))
    WITH CHECK (
        ((SELECT registry_app.organisation()) IS NULL OR organisation = (SELECT registry_app.organisation()))
        AND (state <> 'undone' OR actor = registry_app.actor(actor))
    );

CREATE POLICY sees_with_the_delivery ON registry.held_row FOR SELECT USING (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = held_row.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation())
           OR held_row.owner IS NULL OR held_row.owner = (SELECT registry_app.organisation()))
));
CREATE POLICY adds_with_the_delivery ON registry.held_row FOR INSERT WITH CHECK (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = held_row.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation()))
));
CREATE POLICY changes_with_the_delivery ON registry.held_row FOR UPDATE USING (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = held_row.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation()))
));
CREATE POLICY belongs_to_a_held_row ON registry.held_fault USING (
    (SELECT registry_app.organisation()) IS NULL OR EXISTS (
        SELECT FROM registry.held_row AS r
        WHERE r.delivery_id = held_fault.delivery_id AND r.row_number = held_fault.row_number
    )
);
CREATE POLICY sees_with_the_delivery ON registry.change FOR SELECT USING (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = change.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation())
           OR change.owner IS NULL OR change.owner = (SELECT registry_app.organisation()))
));
CREATE POLICY adds_with_the_delivery ON registry.change FOR INSERT WITH CHECK (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = change.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation()))
));
CREATE POLICY settles_with_the_delivery ON registry.change FOR UPDATE USING (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = change.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation()))
));
CREATE POLICY removes_with_the_delivery ON registry.change FOR DELETE USING (EXISTS (
    SELECT FROM registry.delivery AS d
    WHERE d.delivery_id = change.delivery_id
      AND ((SELECT registry_app.organisation()) IS NULL OR d.organisation = (SELECT registry_app.organisation()))
));
-- it names all objects of a delivery, whoever owns them
CREATE POLICY belongs_to_an_own_delivery ON registry.confirmation USING (
    (SELECT registry_app.organisation()) IS NULL OR EXISTS (
        SELECT FROM registry.delivery AS d
        WHERE d.delivery_id = confirmation.delivery_id AND d.organisation = (SELECT registry_app.organisation())
    )
);
CREATE POLICY belongs_to_a_delivery ON registry.waiting_part USING (
    (SELECT registry_app.organisation()) IS NULL OR EXISTS (
        SELECT FROM registry.delivery AS d
        WHERE d.delivery_id = waiting_part.delivery_id AND d.organisation = (SELECT registry_app.organisation())
    )
);
CREATE POLICY sees_own_files ON registry.delivered_file FOR SELECT USING (
    (SELECT registry_app.organisation()) IS NULL OR EXISTS (
        SELECT FROM registry.delivery AS d
        WHERE d.file_sha256 = delivered_file.file_sha256 AND d.organisation = (SELECT registry_app.organisation())
    )
);
CREATE POLICY keeps_files ON registry.delivered_file FOR INSERT WITH CHECK (true);
-- who does not see all deliveries cannot tell which files are left over
CREATE POLICY sweeps_files ON registry.delivered_file FOR DELETE USING ((SELECT registry_app.organisation()) IS NULL);

CREATE POLICY sees_with_both_ends ON registry.segment_lineage USING (
    (SELECT registry_app.organisation()) IS NULL
    OR EXISTS (SELECT FROM registry.segment AS s WHERE s.segment_id = segment_lineage.parent_id)
    AND EXISTS (SELECT FROM registry.segment AS s WHERE s.segment_id = segment_lineage.child_id)
);

-- they are computed for all organisations at once, each sees those of the segments that it sees
CREATE POLICY sees_with_the_segment ON registry.live_pair FOR SELECT USING (
    (SELECT registry_app.organisation()) IS NULL
    OR EXISTS (SELECT FROM registry.segment AS s WHERE s.segment_id = live_pair.segment_id)
);
CREATE POLICY adds_for_all ON registry.live_pair FOR INSERT WITH CHECK ((SELECT registry_app.organisation()) IS NULL);
CREATE POLICY removes_for_all ON registry.live_pair FOR DELETE USING ((SELECT registry_app.organisation()) IS NULL);

-- a meeting is of all organisations; what it decided is taken back by an editor, not changed by a planner
CREATE POLICY sees_all ON registry.decision_version FOR SELECT USING (true);
CREATE POLICY adds_for_all ON registry.decision_version FOR INSERT WITH CHECK (
    (SELECT registry_app.organisation()) IS NULL
);
CREATE POLICY changes_as_editor ON registry.decision_version FOR UPDATE USING (registry_app.may_edit());
CREATE POLICY removes_as_editor ON registry.decision_version FOR DELETE USING (registry_app.may_edit());

-- a planner proposes plans and takes proposals back; what was adopted is for an editor
CREATE POLICY proposes_or_edits ON registry.plan_state_version AS RESTRICTIVE FOR INSERT WITH CHECK (
    state IN ('draft', 'proposed') OR registry_app.may_edit()
);
CREATE POLICY changes_proposals_or_edits ON registry.plan_state_version AS RESTRICTIVE FOR UPDATE USING (
    state IN ('draft', 'proposed') OR registry_app.may_edit()
);
CREATE POLICY removes_proposals_or_edits ON registry.plan_state_version AS RESTRICTIVE FOR DELETE USING (
    state IN ('draft', 'proposed') OR registry_app.may_edit()
);

CREATE POLICY sees_own ON registry.run FOR SELECT USING (
    (SELECT registry_app.organisation()) IS NULL OR organisation = (SELECT registry_app.organisation())
);
CREATE POLICY adds_in_own_name ON registry.run FOR INSERT WITH CHECK (
    actor = registry_app.actor(actor) AND organisation IS NOT DISTINCT FROM (SELECT registry_app.organisation())
);
CREATE POLICY removes_own ON registry.run FOR DELETE USING (
    organisation IS NOT DISTINCT FROM (SELECT registry_app.organisation())
);

-- what the gate decided rests on the leaks that one organisation sees, and is kept for good
CREATE POLICY sees_own ON registry.gate_decision FOR SELECT USING (
    (SELECT registry_app.organisation()) IS NULL OR organisation = (SELECT registry_app.organisation())
);
CREATE POLICY adds_in_own_name ON registry.gate_decision FOR INSERT WITH CHECK (
    actor = registry_app.actor(actor) AND organisation IS NOT DISTINCT FROM (SELECT registry_app.organisation())
);

CREATE POLICY sees_itself ON registry.member FOR SELECT USING (
    login = session_user::text OR registry_app.is_trusted()
);
