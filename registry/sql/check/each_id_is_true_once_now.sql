-- Two versions that are both known now and true on the same day.
SELECT one.{id} AS row_id
FROM {version} AS one
JOIN {version} AS other ON other.{id} = one.{id} AND other.ctid > one.ctid AND other.valid && one.valid
WHERE upper_inf(one.recorded) AND upper_inf(other.recorded)
