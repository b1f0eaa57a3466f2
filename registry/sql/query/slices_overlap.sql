-- the index of current versions keeps two that go on for ever apart, the constraint of the past two that end; what is
-- left is one of either
WITH ended AS MATERIALIZED (
         SELECT {key}, valid FROM {versions}
         WHERE upper_inf(recorded) AND NOT upper_inf(valid) AND {key} IN (SELECT {key} FROM affected)
     ),
     going_on AS MATERIALIZED (
         SELECT {key}, valid FROM {versions}
         WHERE upper_inf(recorded) AND upper_inf(valid) AND {key} IN (SELECT {key} FROM ended)
     )
SELECT {key} FROM ended JOIN going_on USING ({key})
WHERE ended.valid && going_on.valid
ORDER BY 1
LIMIT 1
