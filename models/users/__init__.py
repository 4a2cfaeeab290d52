"""Profiles of active users as arrays: the table, the compiled step of a batch, and the bytes that
are stored.

Formulas of recommendations live elsewhere; nothing here knows Redis or Kafka.
"""
