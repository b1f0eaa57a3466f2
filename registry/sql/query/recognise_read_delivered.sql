COPY (
    SELECT {compared}, encode(ST_AsBinary(i.geom), 'hex') AS geometry
    FROM incoming AS i JOIN verdict AS w ON w.object_id = i.{key}
    WHERE w.class IN ('added', 'reopened', 'changed', 'moved') AND ({retired} IS NULL OR {retired} > {first_day})
) TO STDOUT (FORMAT csv, HEADER)
