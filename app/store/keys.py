"""Names the keys in Redis, as the client has them: workers, look-ups and shops must agree."""

from headrace.keys import Keys, user_of

__all__ = ["Keys", "user_of"]
