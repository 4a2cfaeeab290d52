"""Choose the execution provider to ask for, and describe it when another one is in force."""

import pytest

from models.inference.onnx_session import CPU, CUDA, choose_providers, describe_fallback

AZURE = "AzureExecutionProvider"
CPU_WHEEL = [AZURE, CPU]
GPU_WHEEL = ["TensorrtExecutionProvider", CUDA, CPU]


@pytest.mark.parametrize(
    ("choice", "available", "asked"),
    [
        ("auto", CPU_WHEEL, [CPU]),
        ("auto", GPU_WHEEL, [CUDA, CPU]),
        ("cuda", GPU_WHEEL, [CUDA, CPU]),
        ("cuda", CPU_WHEEL, [CPU]),
        ("cpu", GPU_WHEEL, [CPU]),
    ],
)
def test_cuda_is_asked_for_where_it_is_listed_and_not_declined(
    choice: str, available: list[str], asked: list[str]
) -> None:
    assert choose_providers(choice, available) == asked


@pytest.mark.parametrize(
    ("choice", "available", "in_force", "says"),
    [
        ("auto", CPU_WHEEL, CPU, None),
        ("cpu", GPU_WHEEL, CPU, None),
        ("auto", GPU_WHEEL, CUDA, None),
        ("cuda", GPU_WHEEL, CUDA, None),
        ("cuda", CPU_WHEEL, CPU, "install the extra `gpu`"),
        ("cuda", GPU_WHEEL, CPU, "check the driver"),
        ("auto", GPU_WHEEL, CPU, "check the driver"),
    ],
)
def test_only_a_provider_that_is_not_in_force_is_described(
    choice: str, available: list[str], in_force: str, says: str | None
) -> None:
    message = describe_fallback(choice, available, in_force)
    assert message is None if says is None else message is not None and says in message
