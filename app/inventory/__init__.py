"""Takes stock of a shop's log: how complete, valid and plausible each field is, and what is in it.

Nothing here is sent or stored, and nothing decides: the checks are the worker's own.
"""
