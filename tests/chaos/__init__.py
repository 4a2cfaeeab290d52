"""The chaos suite: real workers, a seeded log, seeded disturbances, and an oracle that says what
must be stored.

`oracle.py` and `verdict.py` know the documents' contract only and never import the product; `make
chaos` runs it.
"""
