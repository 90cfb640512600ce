"""Structures followed by pointer: what no run of bytes shows by itself.

Each module has ``examine``, which starts at an anchor like every examiner of a written form, and
``again``, which reads a candidate a second time from its places, for stage three.
"""
