SELECT a.{key}
FROM {versions} AS a
JOIN {versions} AS b ON b.{key} = a.{key} AND b.valid && a.valid AND b.ctid <> a.ctid
WHERE upper_inf(a.recorded) AND upper_inf(b.recorded)
  AND a.{key} IN (SELECT {key} FROM affected)
ORDER BY 1
LIMIT 1
