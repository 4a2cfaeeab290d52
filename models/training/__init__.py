"""How the quality model is made: spoilt examples, network, fit and export. Needs torch.

A serving worker imports nothing from here.
"""
