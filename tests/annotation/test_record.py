"""What is written down of a run: the bars of a picture agree with the class that it was given."""

import numpy as np
import pytest

from core.annotation.corrections import Corrections
from core.annotation.methods import METHODS, Asked, annotate
from core.annotation.record import rows_of
from core.annotation.scores import View
from core.catalog.annotation import TOP
from core.pocket.draw import UNSEEN_STYLE
from tests.annotation.pile import pile

KINDS = ["butterfly", "car", "cat", "fish", "flower", "house", "key", "tree"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1, 0.02])
def test_the_class_given_is_first_in_its_bars_with_its_confidence_and_all_sum_to_one(method, scale):
    seen, truth = pile(dict.fromkeys(KINDS, 16), KINDS, UNSEEN_STYLE)
    noise = np.random.default_rng(0).standard_normal(seen.vectors.shape).astype(np.float32)
    seen = View(seen.vectors + noise * 0.14, seen.texts, seen.scale * scale)
    told = np.arange(0, len(truth), 3)
    said = Corrections(told, truth[told].astype(np.int32))
    ids = [100 + i for i in range(len(KINDS))]
    for run in (annotate([seen], KINDS, Asked(method)), annotate([seen], KINDS, Asked(method), corrections=said)):
        assert scale == 1 or run.calibrated or (run.confidences < 0.5).any()
        for row in rows_of(run, range(len(truth)), ids, told, None):
            _, found, _, _, confidence, _, _, packed = row
            bars = [TOP.unpack_from(packed, at) for at in range(0, len(packed), TOP.size)]
            shares = [share / 65535 for _, share, _ in bars]
            assert ids[bars[0][0]] == found
            assert shares[0] == pytest.approx(confidence, abs=1e-4)
            assert shares == sorted(shares, reverse=True)
            assert sum(shares) == pytest.approx(1, abs=1e-3)
