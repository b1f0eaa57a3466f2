CREATE TEMP TABLE known ON COMMIT DROP AS
SELECT DISTINCT ON ({key}) v.*
FROM {versions} AS v
JOIN incoming AS i USING ({key})
WHERE upper_inf(v.recorded)
ORDER BY {key},
         coalesce(lower(v.valid), '-infinity') <= {day} DESC,
         abs(greatest(coalesce(lower(v.valid), '-infinity'), '1000-01-01'::date) - {day})
