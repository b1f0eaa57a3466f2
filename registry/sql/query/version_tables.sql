-- Tables of versions (a valid and a recorded time), with the table of identities and the id that they share.
SELECT v.relname AS version, i.relname AS identity, a.attname AS id
FROM pg_class AS v
JOIN pg_class AS i ON i.relnamespace = v.relnamespace AND v.relname = i.relname || '_version' AND i.relkind = 'r'
JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attname = i.relname || '_id'
WHERE v.relnamespace = 'registry'::regnamespace AND v.relkind = 'r'
  AND 2 = (SELECT count(*) FROM pg_attribute AS t WHERE t.attrelid = v.oid AND t.attname IN ('valid', 'recorded'))
ORDER BY v.relname
