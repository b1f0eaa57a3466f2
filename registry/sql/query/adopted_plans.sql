-- each plan that was ever in force up to a day, from which day, until which, and how it ended
SELECT v.plan_state_id AS plan_id, v.name, v.first_year, v.last_year, v.changed_on AS adopted_on, v.reason, v.owner,
       upper(v.valid) AS ended_on, next.state AS next_state
FROM registry.plan_state_version AS v
LEFT JOIN registry.plan_state_version AS next
       ON next.plan_state_id = v.plan_state_id AND lower(next.valid) = upper(v.valid)
      AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN upper_inf(next.recorded)
               ELSE next.recorded @> %(known_at)s::timestamptz END
WHERE v.state = 'adopted' AND lower(v.valid) <= %(as_of)s
  AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN upper_inf(v.recorded)
           ELSE v.recorded @> %(known_at)s::timestamptz END
ORDER BY lower(v.valid), v.plan_state_id
