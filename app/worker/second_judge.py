"""Runs the second judge of a worker: a causal model in its own thread of low priority."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import HeadraceError
from models.contract.events import Item
from models.inference.manifest import Artefact, ManifestError
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings
from models.quality.defect import ItemText
from models.quality.judge import QualityModel, open_quality_model
from models.quality.second_judge import SecondJudgeModel, open_second_judge_model
from models.quality.second_judge_score import SecondJudgeSettings
from models.quality.text import text_of

# Not the lowest priority: a thread that waits for Python's lock waits until the thread that holds
# it gets a core.
LOW_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class LocalSecondJudge:
    """Implements the `SecondJudge` port with models in this process.

    `first` is a quality model that nothing else uses.
    """

    first: QualityModel
    model: SecondJudgeModel
    thread: ThreadPoolExecutor

    @property
    def artefact(self) -> Artefact:
        """Return the artefact of the causal model."""
        return self.model.artefact

    @property
    def session(self) -> OnnxSession:
        """Return the open session of the causal model."""
        return self.model.session

    @property
    def name(self) -> str:
        """Return the judge's name in assessments.

        Each model and each calibration has its own name.
        """
        return self.model.name

    async def judge(self, item: Item) -> float:
        """Return the probability that the item's text is fine, given all that is known of it."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._judge, text_of(item))

    def close(self) -> None:
        """Wait for the text that is being judged, and end the thread."""
        self.thread.shutdown(cancel_futures=True)

    def _judge(self, text: ItemText) -> float:
        [verdict] = self.first.judge([text])
        return self.model.judge(text, verdict)


def open_second_judge(
    settings: SecondJudgeSettings, folder: Path, inference: InferenceSettings
) -> LocalSecondJudge | None:
    """Open the judge in the folder that the settings name; None if they name none.

    `folder` holds the quality model. Raises HeadraceError when the judge cannot be used.
    """
    if not settings.dir:
        return None
    if settings.low >= settings.high:
        raise HeadraceError(
            f"HEADRACE_JUDGE_LOW={settings.low} is not below HEADRACE_JUDGE_HIGH={settings.high}: "
            "no score is between them; change one of them"
        )
    try:
        model = open_second_judge_model(Path(settings.dir), inference)
        first = open_quality_model(folder, replace(inference, threads=1))
    except ManifestError as error:
        raise HeadraceError(
            f"the second judge cannot be used: {error}; it needs a quality model in HEADRACE_MODEL_DIR, "
            "and a judge made by `headrace models export-judge`; an empty HEADRACE_JUDGE_DIR leaves it off"
        ) from error
    thread = ThreadPoolExecutor(1, thread_name_prefix="second-judge", initializer=_yield_to_others)
    return LocalSecondJudge(first, model, thread)


def _yield_to_others() -> None:
    """Lower the priority of the calling thread, if the system has a priority for each thread."""
    if hasattr(os, "sched_getaffinity"):  # on Linux, setpriority also takes the number of a thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
