"""Candidates out: which bytes could be a key, and whether its arithmetic closes."""
