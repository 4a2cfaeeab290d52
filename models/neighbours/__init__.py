"""Index sessions for the nearest-neighbour search: arrays and compiled kernels.

This room has session kNN alone. It knows neither profiles nor the catalogue's fields.
"""
