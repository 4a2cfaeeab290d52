"""The documentation site: its pages from `docs/`, a reference made from the code, and a check of
what was built.

MkDocs has an environment of its own and is not imported here.
"""
