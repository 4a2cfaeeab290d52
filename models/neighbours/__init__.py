"""The session neighbour index: arrays, and the compiled kernels that update and read them.

Only session kNN lives here. It knows neither profiles nor the catalogue's fields.
"""
