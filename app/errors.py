"""The errors that end a command with advice instead of a traceback."""


class HeadraceError(Exception):
    """Something outside went wrong; the message says what, and what to do about it."""
