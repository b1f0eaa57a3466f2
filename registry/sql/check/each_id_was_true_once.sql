-- Two versions, at least one of them superseded, that were known at the same instant for the same day.
SELECT one.{id} AS row_id
FROM {version} AS one
JOIN {version} AS other ON other.{id} = one.{id} AND other.ctid > one.ctid
    AND other.valid && one.valid AND other.recorded && one.recorded
WHERE NOT (upper_inf(one.recorded) AND upper_inf(other.recorded))
