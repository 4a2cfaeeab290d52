"""Judge item texts: defects, scores, and the second judge of doubtful texts.

This room has what serving needs. It does not make the models: that is in `models/training`.
"""
