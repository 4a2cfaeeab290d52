"""The checks of `headrace doctor`, a module for each thing that is looked at.

A check looks and gives advice. It changes nothing.
"""
