"""Who may see what: tokens, limits and headers of HTTP, and pseudonyms in logs and reports.

Both processes use it. What the answers say does not belong here.
"""
