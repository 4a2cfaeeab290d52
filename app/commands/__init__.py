"""One module per command of the `headrace` console script.

A module declares its arguments and prints the result. The work is done in other rooms.
"""
