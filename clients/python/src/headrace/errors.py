"""What a look-up may raise. Every message says what to do."""


class HeadraceError(Exception):
    """Something outside Headrace failed. The message says what, and what to do about it."""


class UnusableSetting(HeadraceError):
    """A setting, such as the address of Redis, has a value that cannot be used."""


class StoreAway(HeadraceError):
    """Redis cannot be reached, or did not answer in time."""


class UnreadableAnswer(HeadraceError):
    """A Redis key holds something that Headrace did not write."""


def in_words(error: BaseException) -> str:
    """Return the error's text, or its type if it has no text.

    The arguments of a command, which Redis repeats, are left out.

    >>> in_words(ValueError("unknown command 'AUTH', with args beginning with: 'sesame'"))
    "unknown command 'AUTH'"
    """
    return str(error).partition(", with args beginning with")[0] or type(error).__name__
