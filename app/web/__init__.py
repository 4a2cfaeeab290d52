"""The HTTP process: look-ups, probes, metrics and the console page, on Redis alone.

A handler reads a request, asks the store and answers. It computes no recommendation.
"""
