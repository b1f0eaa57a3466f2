CREATE UNIQUE INDEX ON absent ({key})
