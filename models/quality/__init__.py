"""Item text judged: defects, scores, and the second judge of doubtful texts.

What serving needs lives here. Making the models does not: that is in `models/training`.
"""
