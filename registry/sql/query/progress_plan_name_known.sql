SELECT DISTINCT name FROM registry.run WHERE kind = 'plan' AND name = ANY(%s)
