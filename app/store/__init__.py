"""Talks to Redis: keys, layouts, and the adapters of the ports that `agents.ports` declares.

Only this room and the client import redis. Nothing here decides what is recommended.
"""
