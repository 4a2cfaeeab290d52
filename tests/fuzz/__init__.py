"""Fuzzing of everything that reads bytes from outside: `make fuzz`.

`targets` says what must hold for any bytes; `__main__` looks for bytes for which it does not. Bytes
that once broke something are kept in `corpus`, and every test run tries them.
"""
