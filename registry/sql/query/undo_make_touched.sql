CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT {key} AS object_id, min(instant) AS instant
FROM {versions}
CROSS JOIN LATERAL (VALUES (lower(recorded)), (upper(recorded))) AS t (instant)
WHERE instant = ANY({instants})
GROUP BY {key}
