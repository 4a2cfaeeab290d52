"""Work over the whole core at once: taking back what was learned, and compiling everything.

Nothing in `models` outside this room imports it.
"""
