"""The worker process put together: its parts, its models, its start and its stop.

Parts are wired here and built elsewhere. No rule about recommendations lives here.
"""
