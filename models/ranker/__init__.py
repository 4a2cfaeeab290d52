"""Rank with what is learned from every event: candidates, their features, and a small network.

Nothing here knows where events come from; `models.recommender` holds the state that is shared with
the formula.
"""
