UPDATE incoming AS i
SET {carried}
FROM known AS k
WHERE k.{key} = i.{key}
