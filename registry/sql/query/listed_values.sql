SELECT list_name, code, position, label_en, label_zh FROM registry.value_list WHERE is_active
