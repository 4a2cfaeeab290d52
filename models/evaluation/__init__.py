"""Measure ranked lists offline, and split sessions as published protocols do.

This room holds only arithmetic on lists. It does not read log files.
"""
