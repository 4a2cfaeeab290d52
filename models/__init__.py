"""The mathematics and the words of Headrace: pure functions and values, no clock, no network, no environment.

In Faust a "model" is a record schema; here it is what a recommender learns, plus the domain types.
"""
