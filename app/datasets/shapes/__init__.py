"""Knows the published shapes of shops' files, each by its columns.

Nothing here opens a file or judges a value: a shape only says which column is which field.
"""
