"""Draws item texts of which the quality model is unsure, to calibrate a second judge on them.

Some texts are clean, the others are corrupted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.artefacts.catalogue_files import catalogue_name, read_entries
from app.errors import HeadraceError
from models.quality.judge import QualityModel
from models.quality.second_judge_score import SecondJudgeSettings
from models.training.quality_catalogue import Part, TrainingCatalogue, trusted
from models.training.quality_examples import material
from models.training.second_judge_fit import Doubtful, draw_doubtful

SEED = 5


@dataclass(frozen=True, slots=True)
class DoubtfulDraw:
    """Draws the doubtful examples of catalogues with a fixed seed. Reports how many it found."""

    quality: QualityModel
    band: SecondJudgeSettings
    tell: Callable[[str], None]

    def draw(self, catalogues: Sequence[TrainingCatalogue], count: int) -> list[Doubtful]:
        """Return at most `count` examples.

        Raises HeadraceError when the catalogues hold no usable title.
        """
        if not any(each.items for each in catalogues):
            raise HeadraceError("none of the files has a usable title in the part that is needed: name larger ones")
        categories = sorted({item.category for each in catalogues for item in each.items if item.category})
        source = material(list(catalogues), categories)
        drawn = draw_doubtful(source, self.quality, self.band, count, np.random.default_rng(SEED))
        fine = sum(each.fine for each in drawn)
        self.tell(f"{', '.join(each.name for each in catalogues)}: {fine} fine, {len(drawn) - fine} spoilt")
        return drawn


def read_catalogue(path: Path) -> TrainingCatalogue:
    """Return the usable titles of a catalogue file. Raises HeadraceError."""
    return trusted(catalogue_name(path), read_entries(path))


def titles_to_compare(catalogues: Sequence[TrainingCatalogue]) -> list[str]:
    """Return the titles of the catalogues' test parts, shuffled."""
    titles = [item.title for each in catalogues for item in each.part(Part.TEST).items]
    return [titles[row] for row in np.random.default_rng(SEED).permutation(len(titles))]
