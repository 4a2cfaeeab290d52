"""Logs of shops as files: readers that give each row as the record that Kafka gets.

Nothing here sends a record, and nothing here judges one.
"""
