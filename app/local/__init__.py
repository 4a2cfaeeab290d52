"""`headrace run`: servers, worker and look-ups as child processes of one command.

Starting and watching processes lives here. What those processes do does not.
"""
