"""`headrace evaluate`: a log with a known future, put through the recommender of the worker.

Reading files and models lives here. The measures do not: they are in `models/evaluation`.
"""
