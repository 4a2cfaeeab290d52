"""The mathematics and the words of Headrace: pure functions and values.

No clock, no network and no environment is used here. In Faust a "model" is a record schema; here it is what a
recommender learns, plus the domain types.
"""
