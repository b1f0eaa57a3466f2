(
    SELECT building_id FROM registry_app.building_at(%(as_of)s, %(known_at)s)
    WHERE household_count IS NOT NULL LIMIT 1
)
UNION
(
    SELECT building_id FROM registry_app.building_at(%(as_of)s, %(known_at)s)
    WHERE use <> 'unknown' LIMIT 1
)
UNION
(
    SELECT building_id FROM registry_app.building_at(%(as_of)s, %(known_at)s) LIMIT 1
)
