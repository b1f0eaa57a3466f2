CREATE TEMP TABLE absent ON COMMIT DROP AS
WITH wanted AS MATERIALIZED (
         SELECT ST_Expand(i.geom, {within_m}) AS around
         FROM incoming AS i JOIN verdict AS w ON w.object_id = i.{key}
         WHERE w.class IN ('added', 'reopened', 'moved')
     ),
     near AS (
         SELECT v.{key}
         FROM wanted
         -- row by row through the spatial index: the planner cannot know how few pipes lie in one place
         CROSS JOIN LATERAL (SELECT o.{key} FROM {versions} AS o WHERE o.geom && wanted.around AND {is_ours} OFFSET 0) AS v
     )
SELECT {key} FROM near EXCEPT SELECT {key} FROM incoming
