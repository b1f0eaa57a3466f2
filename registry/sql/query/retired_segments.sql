WITH v AS MATERIALIZED (
    SELECT v.* FROM {versions} AS v
    WHERE upper(v.valid) <= {as_of}
      AND ({where})
      AND CASE WHEN {known_at} IS NULL THEN upper_inf(v.recorded) ELSE v.recorded @> {known_at} END
)
SELECT DISTINCT ON (v.{key}) {wanted}
FROM v
WHERE NOT EXISTS (
      SELECT FROM {versions} AS later
      WHERE later.{key} = v.{key} AND later.valid @> {as_of}
        AND CASE WHEN {known_at} IS NULL THEN upper_inf(later.recorded) ELSE later.recorded @> {known_at} END
  )
  AND NOT EXISTS (
      SELECT FROM registry.segment_lineage AS l
      WHERE l.parent_id = v.{key} AND l.relation <> 'replace' AND l.happened_on <= {as_of}
        AND CASE WHEN {known_at} IS NULL THEN upper_inf(l.recorded) ELSE l.recorded @> {known_at} END
  )
ORDER BY v.{key}, upper(v.valid) DESC
