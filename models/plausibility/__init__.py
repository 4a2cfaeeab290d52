"""Whether an event that is well-formed can be true: robots, prices, quantities, non-products.

Nothing here decodes or writes; the outcome of a doubt is a setting.
"""
