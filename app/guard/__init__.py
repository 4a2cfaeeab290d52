"""What stands between HTTP and the answers: tokens, limits, and headers of every response.

Both processes use it. What the answers say does not belong here.
"""
