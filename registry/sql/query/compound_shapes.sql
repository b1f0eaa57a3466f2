SELECT name, ST_AsBinary(ST_Multi(ST_Union(geom)))
FROM registry.compound_version
WHERE upper_inf(recorded) AND upper_inf(valid)
GROUP BY name
