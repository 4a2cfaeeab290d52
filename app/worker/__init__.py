"""Composes the worker process: its parts, its models, its start and its stop.

Parts are connected here and defined elsewhere. Rules about recommendations do not live here.
"""
