-- whatever names a segment that goes on under other ids names the one that lies at its place, from the first day on
WITH named AS (
         SELECT v.*, s.delivered_id
         FROM {versions} AS v
         JOIN succession AS s ON s.known_id = v.segment_id
         CROSS JOIN LATERAL (SELECT {measure} AS measure_m) AS m
         WHERE upper_inf(v.recorded) AND v.valid && daterange({first_day}, NULL) AND s.delivered_id <> s.known_id
           AND {is_ours}
           AND m.measure_m >= s.parent_from_m AND (m.measure_m < s.parent_to_m OR s.parent_to_m >= s.parent_m)
     ),
     followed AS (
         INSERT INTO incoming ({key}, {columns}, valid)
         SELECT v.{key}, {followed}, v.valid * daterange({first_day}, NULL) FROM named AS v
         RETURNING {key}, valid
     )
INSERT INTO affected ({key}, valid) SELECT {key}, valid FROM followed
