"""Guarded processes: where they come from, and what they may not do."""
