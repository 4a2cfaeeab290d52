"""Runs the worker's recommender on a log with a known future, for `headrace evaluate`.

Reading files and models lives here. The measures do not: they are in `models/evaluation`.
"""
