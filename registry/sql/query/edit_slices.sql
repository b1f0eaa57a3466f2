WITH edited AS (
         INSERT INTO incoming ({key}, {columns}, valid)
         SELECT {key}, {edited}, valid * {days}
         FROM {versions}
         WHERE {key} = {object_id} AND upper_inf(recorded) AND valid && {days}
           AND ROW({columns}) IS DISTINCT FROM ROW({edited})
         RETURNING {key}, valid
     )
INSERT INTO affected ({key}, valid) SELECT {key}, valid FROM edited
