INSERT INTO affected ({key}, valid)
SELECT {key}, valid FROM incoming
UNION ALL
SELECT w.object_id, w.known_valid * daterange(upper(i.valid), NULL)
FROM verdict AS w JOIN incoming AS i ON i.{key} = w.object_id
WHERE w.class IN ('changed', 'moved') AND NOT upper_inf(i.valid) AND NOT isempty(w.known_valid * daterange(upper(i.valid), NULL))
UNION ALL
SELECT object_id, known_valid * daterange(coalesce({valid_from}, {day}), NULL)
FROM verdict
WHERE class = 'gone' AND 'gone' = ANY({classes})
