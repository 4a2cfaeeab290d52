"""Talks to Kafka: transport, batches, followers, writers, topics.

Only this room imports faust and aiokafka. It decides nothing about recommendations.
"""
