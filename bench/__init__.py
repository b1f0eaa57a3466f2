"""Benchmarks: every claim of speed is a ratio against a named peer in the same run."""
