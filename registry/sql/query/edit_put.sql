WITH put AS (
         INSERT INTO incoming ({key}, {columns}, valid) SELECT {object_id}, {edited}, {days} RETURNING {key}, valid
     )
INSERT INTO affected ({key}, valid) SELECT {key}, valid FROM put
