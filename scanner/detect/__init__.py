"""Candidates out: what in these bytes could be a key, and does its arithmetic close?"""
