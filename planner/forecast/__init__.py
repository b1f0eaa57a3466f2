"""Models that forecast leaks, and the test of each on the city's own past."""
