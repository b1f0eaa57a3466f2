UPDATE {incoming} AS i
SET {carried}
FROM {versions} AS v
WHERE v.{key} = i.{key} AND upper_inf(v.recorded)
