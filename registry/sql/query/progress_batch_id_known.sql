SELECT DISTINCT batch_id FROM registry.run_batches WHERE batch_id = ANY(%s)
