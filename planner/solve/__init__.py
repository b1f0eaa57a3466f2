"""Solve the planning model: which batch in which year, and a proven bound on how good any plan can be."""
