"""Compiled code for what is done to every byte or every candidate: arrays in, arrays out.

Each C file has one job, and a Python module of typed wrappers that check dtypes, contiguity and
lengths before any pointer passes. The room knows arrays and numbers: no key's name, no dump, no
file. It decides nothing and proves nothing, and there is no slow way around it: a machine on which
it cannot be loaded gives no verdict.
"""
