SELECT coalesce(extract(epoch FROM max(applied_at) - clock_timestamp()), -1)::double precision
FROM registry.delivery
