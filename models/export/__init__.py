"""Turn models into ONNX graphs and 8-bit integers. Needs the extra `export`.

A serving worker imports nothing from here.
"""
