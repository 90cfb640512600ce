"""A scan as the parent process drives it: tasks for workers, and an account of every byte."""
