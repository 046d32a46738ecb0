"""Corrections: what they teach, what is asked, how right the classes are, and the head in a file."""

import json
import struct
from itertools import pairwise

import numpy as np
import pytest

from core.annotation.accuracy import draws, set_aside, wilson
from core.annotation.confidence import calibrate, calibration_error, class_confidences
from core.annotation.corrections import Corrections, head_of_texts, head_scores, train_head
from core.annotation.head_file import SavedHead, load_head, save_head
from core.annotation.methods import Asked, annotate, estimate_accuracy, heads_for
from core.annotation.nowhere import suggested_threshold
from core.annotation.review import review_queue
from core.annotation.scores import NONE, View, text_scores
from core.errors import ShoeboxError, UsageError
from core.pocket.draw import UNSEEN_STYLE
from tests.annotation.pile import pile

KINDS = ["butterfly", "car", "cat", "fish", "flower", "house", "key", "tree"]


@pytest.fixture(scope="module")
def hard():
    """Drawings of an unseen style, spoilt until words get about seven in ten."""
    seen, truth = pile(dict.fromkeys(KINDS, 40), KINDS, UNSEEN_STYLE)
    noise = np.random.default_rng(0).standard_normal(seen.vectors.shape).astype(np.float32)
    turned = np.roll(np.eye(8), 1, axis=1).astype(np.float32) * 0.9 + np.eye(8, dtype=np.float32)
    return View(seen.vectors + noise * 0.11, np.asarray(turned @ seen.texts, np.float32), seen.scale / 3), truth


def truthfully(rows, truth):
    return Corrections(np.asarray(rows), truth[rows].astype(np.int32))


def right(run, truth, but):
    rest = np.setdiff1d(np.arange(len(truth)), but)
    return float((run.labels == truth)[rest].mean())


def test_corrections_better_the_pictures_that_were_not_corrected(hard):
    seen, truth = hard
    rows = np.random.default_rng(1).permutation(len(truth))[:80]
    before = annotate([seen], KINDS)
    after = annotate([seen], KINDS, corrections=truthfully(rows, truth))
    assert right(after, truth, rows) > right(before, truth, rows) + 0.03
    assert (after.labels[rows] == truth[rows]).all()
    assert (after.confidences[rows] == 1).all()
    assert after.calibrated and not before.calibrated


@pytest.mark.parametrize("method", ["text", "refine", "graph"])
def test_a_corrected_picture_has_the_users_class_or_none_in_every_method(hard, method):
    seen, _ = hard
    said = Corrections(np.array([0, 1, 2]), np.array([5, NONE, 6], np.int32))
    run = annotate([seen], KINDS, Asked(method), corrections=said)
    assert run.labels[:3].tolist() == [5, NONE, 6]
    only_none = Corrections(np.array([3]), np.array([NONE], np.int32))
    assert annotate([seen], KINDS, Asked(method), corrections=only_none).labels[3] == NONE
    every = Corrections(np.arange(len(run.labels)), np.full(len(run.labels), NONE, np.int32))
    assert (annotate([seen], KINDS, Asked(method), corrections=every).labels == NONE).all()


def test_an_untaught_head_is_the_words(hard):
    seen, _ = hard
    nothing = Corrections(np.empty(0, np.int64), np.empty(0, np.int32))
    head = train_head(seen, nothing)
    unit = View(seen.vectors, seen.texts, seen.scale)
    np.testing.assert_allclose(head_scores([seen.vectors], [head]), text_scores([unit]).logs, atol=1e-3)
    assert heads_for([seen], nothing) is None


def test_a_head_is_kept_in_a_file_and_used_on_other_pictures(hard, tmp_path):
    seen, truth = hard
    rows = np.arange(0, len(truth), 2)
    rest = np.arange(1, len(truth), 2)
    (head,) = heads_for([seen], truthfully(rows, truth)) or []
    saved = SavedHead(head, "abc", "pocket", tuple(KINDS), tuple((k,) for k in KINDS), len(rows))
    save_head(tmp_path / "my.head", saved)
    loaded = load_head(tmp_path / "my.head", fingerprint="abc")
    assert (loaded.head.weights == head.weights).all()
    assert (loaded.classes, loaded.prompts, loaded.corrections) == (saved.classes, saved.prompts, len(rows))
    elsewhere = View(seen.vectors[rest], seen.texts, seen.scale)
    with_head = annotate([elsewhere], KINDS, Asked("text"), heads=[loaded.head])
    without = annotate([elsewhere], KINDS, Asked("text"))
    assert (with_head.labels == truth[rest]).mean() > (without.labels == truth[rest]).mean() + 0.05
    assert [p.name for p in tmp_path.iterdir()] == ["my.head"]


def test_a_head_of_another_encoder_is_refused(hard, tmp_path):
    save_head(tmp_path / "h", SavedHead(head_of_texts(hard[0]), "abc", "pocket", tuple(KINDS), ((),) * 8, 0))
    with pytest.raises(UsageError, match="pocket"):
        load_head(tmp_path / "h", fingerprint="def")


def spoilt(data: bytes, change) -> bytes:
    """A head's file with its header changed."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    said = json.loads(header["__metadata__"]["head"])
    change(said)
    header["__metadata__"]["head"] = json.dumps(said)
    new = json.dumps(header).encode()
    return struct.pack("<Q", len(new)) + new + data[8 + length :]


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("classes"),
        lambda said: said.update(classes=["a"] * 8),
        lambda said: said.update(classes=KINDS[:3]),
        lambda said: said.update(classes=[1, 2, 3, 4, 5, 6, 7, 8]),
        lambda said: said.update(classes=["\x1b[2J", *KINDS[1:]]),
        lambda said: said.update(prompts=[[3]] * 8),
        lambda said: said.update(prompts=7),
        lambda said: said.update(format="other"),
        lambda said: said.update(corrections="many"),
        lambda said: said.update(fingerprint=None),
    ],
)
def test_a_head_with_a_wrong_header_is_refused_in_words(hard, tmp_path, change):
    path = tmp_path / "h"
    save_head(path, SavedHead(head_of_texts(hard[0]), "abc", "pocket", tuple(KINDS), ((),) * 8, 0))
    path.write_bytes(spoilt(path.read_bytes(), change))
    with pytest.raises(ShoeboxError, match="no head"):
        load_head(path)


def test_a_file_that_is_no_head_is_refused_in_words(hard, tmp_path):
    path = tmp_path / "h"
    save_head(path, SavedHead(head_of_texts(hard[0]), "abc", "pocket", tuple(KINDS), ((),) * 8, 0))
    whole = path.read_bytes()
    broken = np.frombuffer(whole, np.uint8).copy()
    broken[-4:] = 255  # not a number
    for data in (b"", b"\x80\x04.", b"\xff" * 200, whole[: len(whole) // 2], whole[:20], broken.tobytes()):
        path.write_bytes(data)
        with pytest.raises(ShoeboxError, match="no head"):
            load_head(path)
    with pytest.raises(ShoeboxError):
        load_head(tmp_path / "nothing")
    with pytest.raises(ShoeboxError):
        load_head(tmp_path)


def test_the_queue_asks_the_unsure_spread_over_the_pile(hard):
    seen, _ = hard
    run = annotate([seen], KINDS)
    rows = review_queue(seen.vectors, run.margins, 40)
    assert len(rows) == len(set(rows.tolist())) == 40
    assert (rows == review_queue(seen.vectors, run.margins, 40)).all()
    lowest = np.argsort(run.margins)[:40]
    assert pairs_alike(seen.vectors, rows) < pairs_alike(seen.vectors, lowest)


def pairs_alike(vectors, rows):
    unit = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
    return float((unit @ unit.T).mean())


def test_the_queue_keeps_to_its_limits(hard):
    seen, _ = hard
    run = annotate([seen], KINDS)
    below = np.flatnonzero(run.confidences < 0.5)
    rows = review_queue(seen.vectors, run.margins, 1000, confidences=run.confidences, below=0.5, skip=below[:3])
    assert set(rows.tolist()) == set(below[3:].tolist())
    assert all(run.margins[a] <= run.margins[b] for a, b in pairwise(rows))
    assert len(review_queue(seen.vectors, run.margins, 0)) == 0
    same = np.repeat(seen.vectors[:1], 30, axis=0)
    assert len(set(review_queue(same, np.zeros(30, np.float32), 12).tolist())) == 12


def test_a_fifth_of_the_queue_is_drawn_at_random_to_measure_by(hard):
    seen, _ = hard
    run = annotate([seen], KINDS)
    drawn = draws([f"hash {i}" for i in range(len(run.labels))])
    rows = review_queue(seen.vectors, run.margins, 50, drawn=drawn)
    aside = set_aside(drawn)
    assert 0.1 < aside.mean() < 0.3
    assert len(set(rows.tolist())) == 50
    assert np.count_nonzero(aside[rows]) == 10
    assert np.count_nonzero(aside[rows[:10]]) == 2  # whoever stops early has measured as well


def test_what_is_set_aside_hangs_on_the_content_alone():
    assert (draws(["a", "b", "a"])[[0, 1]] == draws(["a", "b"])).all()
    assert draws(["a"])[0] != draws(["a"], seed=1)[0]


def test_the_accuracy_is_of_pictures_that_taught_nothing_and_its_interval_holds_the_truth(hard):
    seen, truth = hard
    drawn = draws([str(i) for i in range(len(truth))])
    aside = np.flatnonzero(set_aside(drawn))
    told = np.setdiff1d(np.arange(len(truth)), aside)[::4]
    found = estimate_accuracy([seen], KINDS, Asked("graph"), truthfully(told, truth), truthfully(aside, truth))
    whole = right(annotate([seen], KINDS, corrections=truthfully(told, truth)), truth, told)
    assert found.count == len(aside)
    assert found.low <= whole <= found.high
    with pytest.raises(ValueError):
        estimate_accuracy([seen], KINDS, Asked(), truthfully(aside, truth), truthfully(aside, truth))


def test_the_interval_of_a_share():
    found = wilson(8, 10)
    assert (round(found.low, 3), round(found.high, 3)) == (0.490, 0.943)
    assert wilson(5, 5).high == 1 and wilson(5, 5).low < 0.6
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


def test_the_temperature_mends_scores_that_are_too_sure():
    random = np.random.default_rng(0)
    logits = random.standard_normal((600, 4)).astype(np.float32) * 1.5
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    truth = np.array([random.choice(4, p=row / row.sum()) for row in odds.astype(np.float64)])
    sure = logits * 4
    labels = sure.argmax(axis=1).astype(np.int32)
    found = calibrate(sure[:300], truth[:300])
    assert found.fitted and 3 < found.temperature < 5.5
    hit = labels[300:] == truth[300:]
    before = calibration_error(class_confidences(sure[300:], 1.0, labels[300:]), hit)
    after = calibration_error(class_confidences(sure[300:], 1 / found.temperature, labels[300:]), hit)
    assert after < before / 2


def test_a_few_corrections_calibrate_nothing():
    found = calibrate(np.zeros((29, 3), np.float32), np.zeros(29, np.int64))
    assert (found.fitted, found.temperature, found.corrections) == (False, 1.0, 29)


def test_corrections_to_none_suggest_a_threshold():
    scores = np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.7, 0.8, 0.8, 0.9, 0.9], np.float32)
    assert suggested_threshold(scores, np.arange(10) >= 5) == pytest.approx(0.55)
    assert suggested_threshold(scores, np.arange(10) >= 7) is None
