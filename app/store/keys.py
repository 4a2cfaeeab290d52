"""Every Redis key name, built in one place, because workers, look-ups and shops must agree on each of them.

The braces are Redis Cluster hash tags: keys of one user, or of one item, live on the same node.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The names under one prefix, such as `hr:`."""

    prefix: str

    def recommendation(self, user_id: str) -> str:
        """The user's ranked list: a string, JSON."""
        return f"{self.prefix}rec:{{{user_id}}}"

    def profile(self, user_id: str) -> str:
        """The user's state: a hash with `recent`, `counts` and `offsets`, each JSON."""
        return f"{self.prefix}profile:{{{user_id}}}"

    def item(self, item_id: str) -> str:
        """The catalogue entry: a hash; a deleted item keeps `available` 0 and `deleted` 1."""
        return f"{self.prefix}item:{{{item_id}}}"

    def vectors(self, model: str = "") -> str:
        """The vectors of all items: a vector set; with `model`, the one that is being made with another model."""
        return f"{self.prefix}items" if not model else f"{{{self.prefix}items}}:{model}"

    def vectors_model(self) -> str:
        """The key of the model whose vectors are in `vectors()`: a string."""
        return f"{{{self.prefix}items}}:model"

    def vector_models(self) -> str:
        """The keys of the models with a set of their own: a set, so that no such set is forgotten."""
        return f"{{{self.prefix}items}}:models"

    def similar(self, item_id: str) -> str:
        """The item's neighbours: a string, JSON list."""
        return f"{self.prefix}similar:{{{item_id}}}"

    def trending(self, category: str | None = None) -> str:
        """Decayed popularity, of everything or of one category: a sorted set of item ids."""
        return f"{self.prefix}trending" if category is None else f"{self.prefix}trending:{category}"

    def known_only(self) -> str:
        """1 when lists hold only what the catalogue has, 0 when unknown items are listed too: a string."""
        return f"{self.prefix}known_only"

    def recent_users(self) -> str:
        """The users whose lists were written last: a sorted set of user ids by time, capped at 50."""
        return f"{self.prefix}recent_users"

    def source(self, place: str) -> str:
        """Which log the source partition `place`, such as `views-3`, is: a string."""
        return f"{self.prefix}source:{{{place}}}"

    def catalogue(self, place: str) -> str:
        """Up to which offset the catalogue has the partition `place`, such as `items-3`: a string."""
        return f"{self.prefix}catalogue:{{{place}}}"

    def worker(self, worker_id: str) -> str:
        """One worker's live figures: a string, JSON, gone 10 s after the worker fell silent."""
        return f"{self.prefix}worker:{worker_id}"

    def workers(self) -> str:
        """Who wrote figures lately: a sorted set of worker ids by time, so that nobody needs SCAN."""
        return f"{self.prefix}workers"
