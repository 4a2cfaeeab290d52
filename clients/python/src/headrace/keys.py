"""Builds every Redis key name in one place, as workers, look-ups and shops must agree on them.

The braces are Redis Cluster hash tags: keys of one user, or of one item, are on the same node.
"""

from dataclasses import dataclass

DEFAULT_PREFIX = "hr:"
# `{}` is no hash tag: the profile and the list of a user whose id begins with } would be on two
# nodes, and so would an item and what is similar to it. No other key ends like these.
ODD = "{-}}"


def _tagged(name: str) -> str:
    return f"{ODD[:-1]}{name}:" if name.startswith("}") else f"{{{name}}}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Builds the key names with one prefix, such as `hr:`."""

    prefix: str

    def recommendation(self, user_id: str) -> str:
        """Return the key of the user's ranked list: a string with JSON."""
        return f"{self.prefix}rec:{_tagged(user_id)}"

    def profile(self, user_id: str) -> str:
        """Return the key of the user's state: a hash."""
        return f"{self.prefix}profile:{_tagged(user_id)}"

    def item(self, item_id: str) -> str:
        """Return the key of the catalogue entry: a hash.

        A deleted item keeps `available` 0 and `deleted` 1.
        """
        return f"{self.prefix}item:{_tagged(item_id)}"

    def vectors(self, model: str = "") -> str:
        """Return the key of the vectors of all items: a vector set.

        With `model`, it is the set that is being filled with the vectors of another model.
        """
        return f"{self.prefix}items" if not model else f"{{{self.prefix}items}}:{model}"

    def vectors_model(self) -> str:
        """Return the key of the name of the model whose vectors are in `vectors()`: a string."""
        return f"{{{self.prefix}items}}:model"

    def vector_models(self) -> str:
        """Return the key of the names of all models that have their own vector set: a set."""
        return f"{{{self.prefix}items}}:models"

    def removed_vectors(self) -> str:
        """Return the key of the items removed from vector sets within a day: a sorted set by time
        in microseconds since 1970.
        """
        return f"{{{self.prefix}items}}:removed"

    def similar(self, item_id: str) -> str:
        """Return the key of the item's neighbours: a string with a JSON list."""
        return f"{self.prefix}similar:{_tagged(item_id)}"

    def trending(self, category: str | None = None) -> str:
        """Return the key of popularity, overall or in a category: a sorted set of item ids."""
        return f"{self.prefix}trending" if category is None else f"{self.prefix}trending:{category}"

    def known_only(self) -> str:
        """Return the key of a flag: `1` if lists hold only items of the catalogue, else `0`."""
        return f"{self.prefix}known_only"

    def recent_users(self) -> str:
        """Return the key of users with new lists: a sorted set of 50 user ids by time."""
        return f"{self.prefix}recent_users"

    def source(self, place: str) -> str:
        """Return the key of the log's name of a source partition, such as `views-3`: a string."""
        return f"{self.prefix}source:{{{place}}}"

    def start(self, place: str) -> str:
        """Offset and time of the first record of the source partition `place`, such as `views-3`: a
        string.
        """
        return f"{self.prefix}start:{{{place}}}"

    def begun(self, partition: int) -> str:
        """The batches of the sources' partitions with this number that were begun last: a string,
        JSON.
        """
        return f"{self.prefix}begun:{{{partition}}}"

    def forgotten(self, request_id: str) -> str:
        """The receipt of a request to forget a user: a hash, partition to JSON.

        It expires after a day, and does not hold the user's id.
        """
        return f"{self.prefix}forgotten:{{{request_id}}}"

    def claim(self, partition: int) -> str:
        """The key of the newest claim to the partitions with this number: a string made by
        chance.
        """
        return f"{self.prefix}claim:{{{partition}}}"

    def catalogue(self, place: str) -> str:
        """Return the key of the mark of a partition, such as `items-3`: a string with an offset."""
        return f"{self.prefix}catalogue:{{{place}}}"

    def hidden(self) -> str:
        """Return the key of items that a verdict on their text hides: a sorted set, newest last."""
        return f"{self.prefix}hidden"

    def allowed(self) -> str:
        """Return the key of items that no verdict hides: a hash of item ids to times."""
        return f"{self.prefix}allowed"

    def formats(self) -> str:
        """Return the key of the versions of all that is stored in Redis: a hash."""
        return f"{self.prefix}formats"

    def members(self) -> str:
        """Return the key of the workers that live, with their settings: a hash."""
        return f"{self.prefix}members"

    def worker(self, worker_id: str) -> str:
        """Return the key of one worker's live figures: a string with JSON.

        It expires 10 s after the worker's last write.
        """
        return f"{self.prefix}worker:{worker_id}"

    def workers(self) -> str:
        """Return the key of the workers that wrote figures: a sorted set of worker ids by time.

        With it, no reader needs SCAN.
        """
        return f"{self.prefix}workers"


def user_of(keys: Keys, key: bytes) -> str:
    """Return the user of a key of the kinds `rec` and `profile`."""
    tagged = key.decode(errors="replace").removeprefix(keys.prefix).partition(":")[2]
    return tagged[3:-1] if tagged.startswith(ODD) else tagged[1:-1]
