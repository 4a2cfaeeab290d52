"""Open and run model artefacts: the manifest, onnxruntime sessions, encoders and their checks.

This room has what serving needs to run a model. It does not make models.
"""
