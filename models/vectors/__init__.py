"""Item vectors in memory: the nearest items by meaning, and how they join other candidates.

Search and arithmetic on vectors lives here. Making vectors out of text does not.
"""
