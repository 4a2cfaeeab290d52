"""Reads logs of shops from files: each row becomes the record that is sent to Kafka.

Nothing here sends a record, and nothing here judges one.
"""
