"""Make the quality model: corrupted examples, network, fit and export. Needs torch.

A serving worker imports nothing from here.
"""
