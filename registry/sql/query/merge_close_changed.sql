UPDATE {versions} AS v
SET recorded = tstzrange(lower(v.recorded), now())
FROM {incoming} AS i
WHERE v.{key} = i.{key} AND upper_inf(v.recorded)
