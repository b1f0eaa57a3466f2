SELECT d.delivery_id, coalesce(d.reference_day, (d.applied_at AT TIME ZONE i.timezone)::date) AS day, d.said_columns
FROM registry.delivery AS d, registry.info AS i
WHERE d.kind = 'segments' AND d.applied_at IS NOT NULL
  AND (%(known_at)s::timestamptz IS NULL OR d.applied_at <= %(known_at)s::timestamptz)
  AND coalesce(d.reference_day, (d.applied_at AT TIME ZONE i.timezone)::date) <= %(as_of)s
  AND (d.state = 'accepted' OR EXISTS (
      SELECT FROM registry.delivery AS u WHERE d.delivery_id = ANY(u.undoes) AND u.applied_at > %(known_at)s::timestamptz
  ))
ORDER BY d.applied_at
