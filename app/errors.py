"""Names the errors that end a command with advice instead of a traceback, as the client has them.

The client raises them, and it is a distribution of its own.
"""

from headrace.errors import HeadraceError, UnusableSetting, in_words

__all__ = ["HeadraceError", "UnusableSetting", "in_words", "install_line"]


def install_line(extra: str) -> str:
    """Return the command that installs an extra. It needs the checkout: no index has Headrace.

    >>> install_line("parquet")
    "in the checkout: .venv/bin/pip install -e '.[parquet]'"
    """
    return f"in the checkout: .venv/bin/pip install -e '.[{extra}]'"
