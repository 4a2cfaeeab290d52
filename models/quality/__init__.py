"""Item text judged: defects, scores, and the second judge of doubtful texts.

What serving needs lives here. Making the models lives in `models/training`.
"""
