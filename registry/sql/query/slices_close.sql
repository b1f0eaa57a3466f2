WITH taken AS (SELECT {key}, range_agg(valid) AS days FROM affected GROUP BY {key}),
     closed AS (
         UPDATE {versions} AS v SET recorded = tstzrange(lower(v.recorded), now())
         FROM taken
         WHERE v.{key} = taken.{key} AND v.valid && taken.days AND upper_inf(v.recorded)
         RETURNING v.*
     )
INSERT INTO overlapped SELECT * FROM closed
