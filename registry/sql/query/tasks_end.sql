INSERT INTO affected ({key}, valid)
SELECT {key}, valid * daterange({day}, NULL)
FROM {versions}
WHERE plan_name = ANY({plan_names}) AND owner IS NOT DISTINCT FROM {owner}
  AND upper_inf(recorded) AND valid && daterange({day}, NULL)
