"""What holds for all tests: none of them is timed, on however busy a machine."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None, max_examples=30)
settings.load_profile("untimed")
