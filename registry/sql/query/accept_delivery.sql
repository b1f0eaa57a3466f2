UPDATE registry.delivery
SET state = 'accepted', applied_at = now(), accepted_classes = %(classes)s,
    registry_version = (SELECT version + 1 FROM registry.info)
WHERE delivery_id = %(delivery_id)s
