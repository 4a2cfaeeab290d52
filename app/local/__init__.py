"""Runs servers, worker and look-ups as child processes of one command, for `headrace run`.

Starting and watching processes lives here. What those processes do does not.
"""
