SELECT {id} AS row_id FROM {identity} GROUP BY {id} HAVING count(*) > 1
