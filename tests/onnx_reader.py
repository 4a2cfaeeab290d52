"""Reads nodes and 8-bit weights of .onnx files, and opens tensors inside a graph, without the
package `onnx`.

Protobuf is a row of fields (number, kind, content), and only the few that are needed are looked at.
Their numbers are those of onnx.proto.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Buffer = bytes | bytearray | memoryview

GRAPH = 7
NODE, INITIALIZER, OUTPUT = 1, 5, 12
NODE_INPUT, NODE_OPERATOR = 1, 4
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
VALUE_NAME = 1
NARROW_TYPES = {"uint8": 2, "int8": 3, "uint4": 21, "int4": 22}

NUMBER, BYTES = 0, 2
WIDTHS = {1: 8, 5: 4}


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of a graph and the names of the tensors that it reads."""

    operator: str
    inputs: tuple[str, ...]


class OnnxFile:
    """A model file's content; a bytearray can be changed through the weights that are given out."""

    def __init__(self, content: bytes | bytearray) -> None:
        [graph] = _contents(content, GRAPH)
        self._content = content
        self._tensors = {_text(each, TENSOR_NAME): each for each in _contents(graph, INITIALIZER)}
        self.nodes = tuple(
            Node(_text(each, NODE_OPERATOR), tuple(bytes(name).decode() for name in _contents(each, NODE_INPUT)))
            for each in _contents(graph, NODE)
        )

    def is_narrow(self, name: str) -> bool:
        """Whether the name is that of a fixed tensor of at most 8 bits a number."""
        return name in self._tensors and self._type(name) in NARROW_TYPES.values()

    def bytes_of(self, name: str) -> NDArray[np.int8]:
        """A fixed tensor of signed bytes, in its shape, not copied."""
        assert self._type(name) == NARROW_TYPES["int8"], f"{name} holds no signed bytes"
        shape = [value for number, value in _fields(self._tensors[name]) if number == TENSOR_DIMS]
        [raw] = _contents(self._tensors[name], TENSOR_RAW)
        return np.frombuffer(raw, np.int8).reshape([int(each) for each in shape if isinstance(each, int)])

    def with_outputs(self, names: list[str]) -> bytes:
        """The model with tensors inside it as outputs, too: messages of protobuf merge when they
        follow each other.
        """
        values = b"".join(_field(OUTPUT, _field(VALUE_NAME, name.encode())) for name in names)
        return bytes(self._content) + _field(GRAPH, values)

    def _type(self, name: str) -> int | memoryview:
        [found] = [value for number, value in _fields(self._tensors[name]) if number == TENSOR_TYPE]
        return found


def _text(message: memoryview, field: int) -> str:
    return b"".join(bytes(each) for each in _contents(message, field)).decode()


def _contents(message: Buffer, field: int) -> list[memoryview]:
    return [value for number, value in _fields(message) if number == field and isinstance(value, memoryview)]


def _fields(message: Buffer) -> Iterator[tuple[int, int | memoryview]]:
    """Each field's number with its content, a number or bytes."""
    view, at = memoryview(message), 0
    while at < len(view):
        key, at = _number(view, at)
        if key & 7 == NUMBER:
            value, at = _number(view, at)
            yield key >> 3, value
            continue
        size = WIDTHS.get(key & 7, 0)
        if key & 7 == BYTES:
            size, at = _number(view, at)
        yield key >> 3, view[at : at + size]
        at += size


def _number(view: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the place behind it."""
    value = shift = 0
    while view[at] & 0x80:
        value |= (view[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | view[at] << shift, at + 1


def _field(number: int, content: bytes) -> bytes:
    return _written(number << 3 | BYTES) + _written(len(content)) + content


def _written(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
