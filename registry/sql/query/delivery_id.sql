SELECT stem || CASE WHEN count(d.delivery_id) = 0 THEN '' ELSE '-' || count(d.delivery_id) + 1 END
FROM (SELECT 'D' || to_char(now(), 'YYYYMMDD') || '-' || %(key)s AS stem) AS s
LEFT JOIN registry.delivery AS d ON d.delivery_id = stem OR d.delivery_id LIKE stem || '-%%'
GROUP BY stem
