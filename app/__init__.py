"""The outside world, sorted into rooms: wiring, adapters and commands.

The clients of Kafka and Redis, the environment and the clock live here. No rule about a recommendation does.
"""
