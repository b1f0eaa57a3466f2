CREATE INDEX ON candidate ({key})
