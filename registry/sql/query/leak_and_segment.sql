SELECT l.leaked_on,
       EXISTS (SELECT FROM registry.segment_version AS v WHERE v.segment_id = %(segment_id)s AND upper_inf(v.recorded))
           AS is_known,
       EXISTS (
           SELECT FROM registry.segment_version AS v
           WHERE v.segment_id = %(segment_id)s AND upper_inf(v.recorded)
             AND coalesce(v.installed_year_min, 0) <= extract(year FROM l.leaked_on)
             AND coalesce(upper(v.valid), 'infinity') > l.leaked_on
             AND coalesce(v.retired_on, 'infinity') >= l.leaked_on
       ) AS was_there,
       (SELECT array_agg(DISTINCT p.parent_id ORDER BY p.parent_id)
        FROM registry.segment_lineage AS p
        WHERE p.child_id = %(segment_id)s AND upper_inf(p.recorded)) AS predecessors
FROM registry.leak_version AS l
WHERE l.leak_id = %(leak_id)s AND upper_inf(l.recorded)
ORDER BY lower(l.valid) DESC NULLS LAST
LIMIT 1
