UPDATE incoming AS i
SET valid = daterange({first_day}, coalesce({retired}, s.last_day))
FROM (
    SELECT s.delivered_id, nullif(max(coalesce(upper(v.valid), 'infinity')), 'infinity') AS last_day
    FROM succession AS s JOIN {versions} AS v ON v.{key} = s.known_id
    WHERE upper_inf(v.recorded) AND v.valid && daterange({first_day}, NULL)
    GROUP BY s.delivered_id
) AS s
WHERE s.delivered_id = i.{key}
