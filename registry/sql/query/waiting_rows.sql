SELECT i.{key}, {incoming_columns} FROM incoming AS i JOIN verdict AS w ON w.object_id = i.{key} WHERE w.class <> 'unchanged'
