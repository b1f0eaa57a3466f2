-- where plans stand last, as known now: of the named one, and of those that were adopted for any of these years
SELECT plan_state_id AS plan_id, name, state, first_year, last_year, changed_on, owner
FROM registry.plan_state_version
WHERE upper_inf(recorded) AND upper_inf(valid)
  AND (plan_state_id = %(plan_id)s
       OR state = 'adopted' AND owner IS NOT DISTINCT FROM %(owner)s
          AND int4range(first_year, last_year, '[]') && int4range(%(first_year)s, %(last_year)s, '[]'))
ORDER BY plan_id
