-- The peers of the history benchmark: a plain table, and history kept by a trigger for each row with our own promises.
CREATE TABLE plain_read AS
    SELECT row.*, ST_Length(row.geom) AS length_m
    FROM registry.segment_version AS row WHERE upper_inf(row.recorded);
ALTER TABLE plain_read DROP COLUMN valid, DROP COLUMN recorded, ADD PRIMARY KEY (segment_id);
GRANT SELECT ON plain_read TO PUBLIC;
ANALYZE plain_read;
