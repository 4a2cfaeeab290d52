"""Looks at a log before it is sent: what would be accepted, what not, and what to do about it.

Nothing here sends a record, and nothing here needs a server.
"""
