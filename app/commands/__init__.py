"""One module for each command of the `headrace` console script.

A module declares its arguments and prints the result. It does not do the work itself: other rooms
do.
"""
