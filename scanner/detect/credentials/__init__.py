"""Tokens and passwords, and what tells them from other text."""
