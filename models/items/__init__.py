"""What is known of items by number: what the shop said, how often users did what, and which item
follows which.

Nothing here ranks; the features of a ranker are read from it.
"""
