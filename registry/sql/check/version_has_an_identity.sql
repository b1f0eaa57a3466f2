SELECT {id} AS row_id FROM {version}
WHERE NOT EXISTS (SELECT FROM {identity} AS known WHERE known.{id} = {version}.{id})
