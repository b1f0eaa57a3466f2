DELETE FROM registry.run
WHERE kind = %(kind)s AND name IS NOT DISTINCT FROM %(name)s
  AND organisation IS NOT DISTINCT FROM registry_app.organisation()
