"""Keys on Curve25519 and Curve448: ``edwards`` by RFC 8032, ``montgomery`` by RFC 7748.

What is tried, and against which public halves, stands in ``trials``; the other modules are forms in
which libraries hold either.
"""
