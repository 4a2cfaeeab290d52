"""Offline measures of ranked lists, and the protocols that ask for them.

Pure arithmetic on lists. Reading logs does not live here.
"""
