"""Which node of a Redis Cluster gets which command, without touching Redis.

Workers, look-ups and shops run the same conversation. A transaction (MULTI to
EXEC) goes to one node as a whole, and so do all commands of a slot in their order.
"""

from binascii import crc_hqx
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import AskError, MovedError, RedisError, ResponseError, TryAgainError

Command = tuple[str | bytes | int | float, ...]
Address = tuple[str, int]
Replies = list[Any]
# What each node is asked, and what it answers.
Conversation = Generator[dict[Address, list[Command]], Mapping[Address, Any], Replies]

SLOTS = 16_384
SCRIPTS = frozenset({"EVAL", "EVALSHA"})
KEYLESS = frozenset({"PING", "TIME", "INFO", "SCAN", "COMMAND", "CLUSTER", "ECHO", "MULTI", "EXEC"})
# After so many redirections the cluster is changing; whoever asked tries again later.
MOST_REDIRECTIONS = 5


def slot_of(key: str | bytes) -> int:
    """Return the slot of a key: CRC16 of its hash tag, or of the whole key without one.

    Source: Redis Cluster specification, "Keys distribution model" and "Hash tags".

    >>> slot_of("hr:rec:{ada}") == slot_of("hr:profile:{ada}") == slot_of("ada")
    True
    """
    raw = key.encode() if isinstance(key, str) else key
    start = raw.find(b"{") + 1
    end = raw.find(b"}", start) if start else -1
    return crc_hqx(raw[start:end] if end > start else raw, 0) % SLOTS


def key_of(command: Command) -> str | bytes | None:
    """Return the first key of a command; None for one that any node may answer."""
    name = command[0]
    if name in SCRIPTS:
        key = command[3] if int(command[2]) else None
    else:
        key = command[1] if len(command) > 1 and name not in KEYLESS else None
    return key if key is None or isinstance(key, bytes) else str(key)


@dataclass(slots=True)
class SlotMap:
    """Which node owns each slot, as far as is known.

    `nodes` are all that may be asked, the best first; there is at least one. `first` are those that
    were given; they are kept. `replicated` are the owners that have replicas.
    """

    nodes: list[Address]
    owners: dict[int, Address] = field(default_factory=dict)
    replicated: set[Address] = field(default_factory=set)
    first: list[Address] = field(init=False)

    def __post_init__(self) -> None:
        self.first = list(self.nodes)

    def owner(self, slot: int | None) -> Address:
        """Return the node to ask; any for a slot that nobody is known to own."""
        return self.nodes[0] if slot is None else self.owners.get(slot, self.nodes[0])

    def primaries(self) -> list[Address]:
        """Return the nodes that own slots."""
        return sorted(set(self.owners.values())) or self.nodes[:1]

    def learn(self, answer: Sequence[Any], asked: Address) -> bool:
        """Take over an answer of the node `asked` to CLUSTER SLOTS; False if it knows of none."""
        owners: dict[int, Address] = {}
        replicas: dict[Address, None] = {}
        replicated: set[Address] = set()
        for first, last, primary, *others in answer:
            owner = address_of(primary[0], primary[1], asked)
            owners |= dict.fromkeys(range(first, last + 1), owner)
            replicas |= dict.fromkeys(address_of(each[0], each[1], asked) for each in others)
            replicated |= {owner} if others else set()
        if owners:
            known = dict.fromkeys([*sorted(set(owners.values())), *replicas])
            self.owners, self.replicated = owners, replicated
            self.nodes = [*known, *(each for each in self.first if each not in known)]
        return bool(owners)

    def avoid(self, node: Address) -> None:
        """Ask this node last for what any node may answer."""
        if node in self.nodes:
            self.nodes = [*(each for each in self.nodes if each != node), node]


def address_of(host: str | bytes | None, port: int, asked: Address) -> Address:
    """Return the address that a node names; without a host it is that of the node that was
    asked.
    """
    name = host.decode() if isinstance(host, bytes) else host
    return (name if name and name != "?" else asked[0], int(port))


@dataclass(slots=True)
class _Unit:
    """Commands that go together, the first of them at `row`."""

    row: int
    commands: Sequence[Command]
    slot: int | None
    asking: Address | None = None

    def sent(self) -> Sequence[Command]:
        return self.commands if self.asking is None else [("ASKING",), *self.commands]


def converse(commands: Sequence[Command], slots: SlotMap) -> Conversation:
    """Return the reply to each command; an error reply is an exception among them.

    What `slots` knows is corrected on the way.
    """
    replies: Replies = [None] * len(commands)
    units = list(_units(commands))
    for _ in range(MOST_REDIRECTIONS):
        asked: dict[Address, list[_Unit]] = {}
        for unit in units:
            asked.setdefault(unit.asking or slots.owner(unit.slot), []).append(unit)
        answers = yield {node: [each for unit in sent for each in unit.sent()] for node, sent in asked.items()}
        units = []
        for node, sent in asked.items():
            found = iter(answers[node])
            for unit in sent:
                heard = [next(found) for _ in unit.sent()][-len(unit.commands) :]
                replies[unit.row : unit.row + len(heard)] = heard
                if _is_redirected(unit, heard, node, slots):
                    units.append(unit)
        if not units:
            break
    return replies


def _units(commands: Sequence[Command]) -> Iterator[_Unit]:
    row = 0
    while row < len(commands):
        end = row + 1
        if commands[row][0] == "MULTI":
            while commands[end - 1][0] != "EXEC":
                end += 1
        keys = (key_of(command) for command in commands[row:end])
        key = next((key for key in keys if key is not None), None)
        yield _Unit(row, commands[row:end], None if key is None else slot_of(key))
        row = end


def _is_redirected(unit: _Unit, heard: Replies, node: Address, slots: SlotMap) -> bool:
    unit.asking = None
    error = next((reply for reply in heard if isinstance(reply, AskError)), None)  # MovedError is one, too
    if error is None:
        return False
    target = address_of(error.host, error.port, node)
    if isinstance(error, MovedError):
        slots.owners[error.slot_id] = target
        return True
    if len(unit.commands) > 1:  # half of a transaction's keys may be there
        return False
    unit.asking = target
    return True


def is_unsettled(reply: Any) -> bool:
    """Whether this reply says that the cluster is not as it was."""
    return isinstance(reply, AskError | TryAgainError) or (
        isinstance(reply, RedisError) and not isinstance(reply, ResponseError)
    )
