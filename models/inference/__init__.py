"""Artefacts at work: the manifest, the onnxruntime session, encoders, and checks of both.

What serving needs to run a model lives here. Making models does not.
"""
