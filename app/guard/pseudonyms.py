"""Names users in logs and reports by keyed hashes, so that neither holds ids of people."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

from app.concerns import LogSettings

# A user's id in the name of a Redis key, which clients repeat in their errors; the other form is
# that of ids that begin with }.
IN_A_KEY = re.compile(r"\b(rec|profile):(?:\{-\}(\}.+?):|\{(.+?)\})(?=$|[\s'\"`,;:)\]])")
DIGEST_BYTES = 8
KEY_BYTES = 32


def _key_of_this_process() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Pseudonyms under one key: the same user has the same one, and only the key leads back.

    Without a key, the process takes one of its own, and the pseudonyms of two processes differ.
    """

    key: bytes = field(default_factory=_key_of_this_process, repr=False)

    @classmethod
    def of_settings(cls, settings: LogSettings) -> "Pseudonyms":
        """Return the pseudonyms under the key of the settings, if there is one."""
        text = settings.pseudonym_key.encode()
        return cls(hashlib.sha256(text).digest()) if text else cls()

    def of(self, user_id: str) -> str:
        """Return the user's pseudonym: `user-` and 16 hexadecimal digits.

        >>> Pseudonyms(b"k" * 32).of("ada") == Pseudonyms(b"k" * 32).of("ada")
        True
        """
        text = user_id.encode(errors="surrogatepass")
        return f"user-{hashlib.blake2b(text, digest_size=DIGEST_BYTES, key=self.key).hexdigest()}"

    def in_text(self, text: str) -> str:
        """Return the text with pseudonyms in place of the ids in names of Redis keys."""
        return IN_A_KEY.sub(lambda found: f"{found[1]}:{{{self.of(found[2] or found[3])}}}", text)
