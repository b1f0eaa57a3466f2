SELECT road_id, name, left_number_from, left_number_to, right_number_from, right_number_to, ST_AsBinary(geom)
FROM registry.road_version
WHERE upper_inf(recorded) AND upper_inf(valid)
ORDER BY road_id
