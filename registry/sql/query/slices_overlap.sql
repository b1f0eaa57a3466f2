-- in the order of their beginning two slices overlap only where neighbours do
SELECT {key}
FROM (
    SELECT v.{key}, v.valid, lag(v.valid) OVER (PARTITION BY v.{key} ORDER BY v.valid) AS before
    FROM {versions} AS v
    WHERE upper_inf(v.recorded) AND v.{key} IN (SELECT {key} FROM affected)
) AS neighbours
WHERE valid && before
ORDER BY 1
LIMIT 1
