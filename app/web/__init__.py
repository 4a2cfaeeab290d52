"""The HTTP process: look-ups, probes, metrics and the console page, on Redis.

A handler reads a request, asks the store and answers. It computes no recommendation. Only clicks
and the quarantine need Kafka.
"""
