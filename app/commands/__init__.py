"""One module per command of the `headrace` console script.

A module declares its arguments and prints the result. The work itself is not done here, but in other rooms.
"""
