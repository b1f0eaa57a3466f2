DELETE FROM {incoming} AS i
USING {versions} AS v
WHERE v.{key} = i.{key} AND upper_inf(v.recorded)
  AND ROW({ours}) IS NOT DISTINCT FROM ROW({theirs})
