DELETE FROM incoming AS i
USING verdict AS w
WHERE w.object_id = i.{key} AND NOT w.class = ANY({classes}) AND NOT w.object_id = ANY({decided})
