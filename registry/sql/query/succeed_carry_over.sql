UPDATE incoming AS i SET {assigned}
FROM (
    SELECT s.delivered_id, {carried}
    FROM succession AS s JOIN candidate AS k ON k.{key} = s.known_id
    GROUP BY s.delivered_id
) AS parents
WHERE i.{key} = parents.delivered_id
