UPDATE incoming AS i
SET valid = daterange(
    CASE WHEN {retired} <= d.first_day THEN lower(w.known_valid) ELSE d.first_day END,
    CASE WHEN w.class IN ('added', 'reopened') THEN {retired} ELSE coalesce({retired}, upper(w.known_valid)) END
)
FROM verdict AS w
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN w.class = 'added' THEN {valid_from}
        WHEN w.class = 'reopened' THEN coalesce({valid_from}, {day})
        WHEN {valid_from} > coalesce(lower(w.known_valid), '-infinity')
            AND {valid_from} < coalesce(upper(w.known_valid), 'infinity') THEN {valid_from}
        ELSE lower(w.known_valid)
    END AS first_day
) AS d
WHERE w.object_id = i.{key}
