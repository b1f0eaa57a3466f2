INSERT INTO registry.value_list (list_name, code, position, label_en, label_zh, is_active)
VALUES (%s, %s, %s, %s, %s, true)
ON CONFLICT (list_name, code) DO UPDATE
SET position = excluded.position, label_en = excluded.label_en, label_zh = excluded.label_zh, is_active = true
