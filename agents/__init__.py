"""The order of things: one class per agent, its collaborators as fields.

What is done when, and what waits for what, lives here. No client library and no arithmetic does.
"""
