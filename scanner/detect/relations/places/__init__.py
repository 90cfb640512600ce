"""Where in the pool a number may stand, and what tells it from noise, whatever key it is of.

What announces a number, what adjoins it, how varied it is, what it is near to. No module here knows
an algorithm, or derives anything.
"""
