WITH taken AS (SELECT {key}, range_agg(valid) AS days FROM affected GROUP BY {key})
INSERT INTO {versions} ({key}, {columns}, valid)
SELECT o.{key}, {overlapped_columns}, remainder
FROM overlapped AS o
JOIN taken ON taken.{key} = o.{key}
CROSS JOIN LATERAL unnest(datemultirange(o.valid) - taken.days) AS remainder
