"""Symmetric keys in their working form: expanded schedules, and states of stream ciphers."""
