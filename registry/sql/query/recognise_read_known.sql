COPY (
    SELECT {compared}, encode(ST_AsBinary(geom), 'hex') AS geometry FROM candidate
) TO STDOUT (FORMAT csv, HEADER)
