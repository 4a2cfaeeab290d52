"""Files of snapshots as other versions of Headrace wrote them."""

from app.worker.snapshot import MAGIC, new_checksum


def in_format(written: bytes, version: int) -> bytes:
    """The file of a snapshot as that format has it, with the checksum of that format."""
    _, content = written.split(b"\n", 1)
    digest = new_checksum(version)
    digest.update(content)
    return b"%s %d %s\n" % (MAGIC, version, digest.hexdigest().encode()) + content
