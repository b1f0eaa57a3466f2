SELECT name, ST_AsBinary(ST_Multi(ST_Collect(geom ORDER BY road_id)))
FROM registry.road_version
WHERE upper_inf(recorded) AND upper_inf(valid) AND name IS NOT NULL
GROUP BY name
