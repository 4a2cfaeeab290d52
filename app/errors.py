"""Defines the error that ends a command with advice instead of a traceback."""


class HeadraceError(Exception):
    """Something outside Headrace failed. The message says what, and what to do about it."""


class UnusableSetting(HeadraceError):
    """A setting has a value that cannot be used. Commands end with the status of a usage error."""


def in_words(error: BaseException) -> str:
    """Return the error's text, or its type if it has no text.

    The arguments of a command, which Redis repeats, are left out.

    >>> in_words(ValueError("unknown command 'AUTH', with args beginning with: 'sesame'"))
    "unknown command 'AUTH'"
    """
    return str(error).partition(", with args beginning with")[0] or type(error).__name__
