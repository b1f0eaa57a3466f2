WITH taken AS (SELECT {key}, range_agg(valid) AS days FROM affected GROUP BY {key}),
     dropped AS (
         DELETE FROM {versions} AS v USING taken
         WHERE v.{key} = taken.{key} AND v.valid && taken.days AND upper_inf(v.recorded) AND lower(v.recorded) = now()
         RETURNING v.*
     )
INSERT INTO overlapped SELECT * FROM dropped
