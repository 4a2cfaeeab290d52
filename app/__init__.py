"""Connects Headrace to the outside world, sorted into rooms: wiring, adapters and commands.

The clients of Kafka and Redis, the environment and the clock live here. Rules about recommendations
do not.
"""
