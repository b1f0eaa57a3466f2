-- a pipe of its own needs an id that was never another one's; those that have none are returned
WITH said AS (
         SELECT w.object_id,
                CASE
                    WHEN w.known_valid IS NULL THEN 'added'
                    WHEN upper(w.known_valid) <= {day} AND NOT EXISTS (
                        SELECT FROM registry.segment_lineage AS l
                        WHERE l.parent_id = w.object_id AND upper_inf(l.recorded)
                    ) THEN 'reopened'
                END AS class
         FROM verdict AS w
         WHERE w.object_id = ANY(%(ids)s)
     ),
     settled AS (
         UPDATE verdict AS w SET class = said.class FROM said WHERE said.object_id = w.object_id AND said.class IS NOT NULL
     )
SELECT array_agg(object_id ORDER BY object_id) FROM said WHERE class IS NULL
