CREATE TEMP TABLE verdict (object_id text COLLATE "C", class text, known_valid daterange) ON COMMIT DROP
