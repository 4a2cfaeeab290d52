"""Erases users from Kafka and Redis for a command, and writes the receipt.

What a worker does for it is in `agents.forget`. Nothing here decides what is recommended.
"""
