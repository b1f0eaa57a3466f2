"""What was true and when it was known: slices of time, change reports, undo, corrections, lineage."""
