"""The words for how producers place users, and for what becomes of events elsewhere."""

MURMUR2, CRC32, TRUST = "murmur2", "crc32", "trust"
PARTITIONERS = (MURMUR2, CRC32, TRUST)
MOVE, REFUSE = "move", "refuse"
MISPLACED = (MOVE, REFUSE)
