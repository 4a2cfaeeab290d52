"""Makes, checks and measures model artefacts: the work behind `headrace models`.

A serving worker imports nothing from here.
"""
