"""Faults put into a sound log on purpose: what is found of them, and what they cost in hit rate.

Only evaluation uses this room; the checks themselves live in `contract` and `quality`.
"""
