"""Shows what is in the topic `quarantine`, and decides what is sent again.

Nothing here judges a record: what is rejected is decided in `models.contract`.
"""
