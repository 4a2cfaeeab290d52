"""The checks of `headrace doctor`: one module for each thing that is checked.

A check looks and gives advice. It changes nothing.
"""
