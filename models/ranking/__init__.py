"""Rank candidates: lists as arrays, the compiled kernel that fills them, and their JSON.

This room orders what other rooms found. It does not look for candidates, and it learns nothing.
"""
