"""Run the steps of each agent in their order: one class per agent, its collaborators as fields.

This room decides what is done when, and what waits for what. It holds no client library and no
arithmetic.
"""
