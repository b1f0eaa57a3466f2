-- A version that was true on no day or known at no instant, or was known from the future on.
SELECT {id} AS row_id FROM {version} WHERE isempty(valid) OR isempty(recorded) OR lower(recorded) > now()
