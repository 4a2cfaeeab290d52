"""The words of the contract: events, items, outcomes, and their bytes on Kafka and in Redis.

Reading and writing of formats lives here. What follows from an event does not.
"""
