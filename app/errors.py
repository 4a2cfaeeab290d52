"""Names the errors that end a command with advice instead of a traceback, as the client has them.

The client raises them, and it is a distribution of its own.
"""

from headrace.errors import HeadraceError, UnusableSetting, in_words

__all__ = ["HeadraceError", "UnusableSetting", "in_words"]
