UPDATE verdict SET class = CASE WHEN moved_m > {moved} THEN 'moved' ELSE 'changed' END
WHERE object_id = ANY(%(ids)s)
