UPDATE verdict AS w SET class = r.class
FROM (SELECT DISTINCT delivered_id, class FROM recognised) AS r
WHERE r.delivered_id = w.object_id
