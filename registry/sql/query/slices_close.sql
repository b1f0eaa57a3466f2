WITH taken AS (SELECT {key}, range_agg(valid) AS days FROM affected GROUP BY {key}),
     closed AS (
         UPDATE {versions} AS v SET recorded = tstzrange(lower(v.recorded), now())
         FROM taken
         WHERE v.{key} = taken.{key} AND v.valid && taken.days AND upper_inf(v.recorded)
         RETURNING v.*, v.valid <@ taken.days AS is_covered
     )
-- only of these something remains
INSERT INTO overlapped ({key}, {columns}, valid)
SELECT {key}, {columns}, valid FROM closed WHERE NOT is_covered
