DELETE FROM recognised WHERE delivered_id = ANY(%(ids)s)
