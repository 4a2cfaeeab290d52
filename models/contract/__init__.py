"""Define the contract: events, items, outcomes, and their bytes on Kafka and in Redis.

This room reads and writes formats. It does not decide what follows from an event.
"""
