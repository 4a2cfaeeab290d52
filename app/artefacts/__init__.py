"""Model artefacts made, checked and measured: the work behind `headrace models`.

A serving worker imports nothing from here.
"""
