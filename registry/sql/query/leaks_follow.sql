WITH moved AS (
         INSERT INTO incoming ({key}, {columns}, valid)
         SELECT v.{key}, {edited}, v.valid * daterange({day}, NULL)
         FROM {versions} AS v
         CROSS JOIN LATERAL (
             SELECT ST_LineLocatePoint({course}, v.geom) * ST_Length({course}) AS measure_m
         ) AS m
         WHERE v.segment_id = {parent_id} AND upper_inf(v.recorded) AND v.valid && daterange({day}, NULL)
           AND {is_ours} AND m.measure_m >= {from_m} AND (m.measure_m < {to_m} OR {is_last})
         RETURNING {key}, valid
     )
INSERT INTO affected ({key}, valid) SELECT {key}, valid FROM moved
