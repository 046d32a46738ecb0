"""The methods on drawings and scans, through their one door."""

import numpy as np
import pytest

from core.annotation.classes import ClassName
from core.annotation.corrections import Corrections
from core.annotation.methods import METHODS, Asked, annotate, find_neighbours, mean_none_scores
from core.annotation.prompts import prompts_of
from core.annotation.result import Iteration
from core.annotation.scores import NONE, View
from core.errors import CancelledError, UsageError
from core.pocket.draw import UNSEEN_STYLE
from tests.annotation.pile import pile, scans, view

KINDS = ["car", "fish", "flower", "house", "key", "tree"]


@pytest.fixture(scope="module")
def six():
    return pile(dict.fromkeys(KINDS, 24), KINDS, UNSEEN_STYLE)


@pytest.fixture(scope="module")
def digits():
    vectors, truth = scans()
    return view(vectors, prompts_of([ClassName(str(d)) for d in range(10)])), truth, [str(d) for d in range(10)]


def share_right(run, truth):
    return float((run.labels == truth).mean())


def far_words(classes=5, each=40, dimension=64):
    """Pictures much alike, far from words of which two fit all of them best: as a real CLIP sees hand signs."""
    random = np.random.default_rng(3)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=-1, keepdims=True)  # noqa: E731
    kinds = unit(random.standard_normal((classes, dimension)))
    common, gap = unit(random.standard_normal((2, dimension)))
    truth = np.repeat(np.arange(classes), each)
    noise = unit(random.standard_normal((len(truth), dimension)))
    pictures = unit(0.8 * common + 0.4 * kinds[truth] + 0.4 * noise)
    fits = 0.3 + np.array([0.0, 0.1, 0.0, 0.1, 0.0])[:, None]
    texts = unit(fits * common + 0.1 * kinds + 0.9 * gap)
    return View(pictures.astype(np.float32), texts.astype(np.float32), 60.0), truth


@pytest.mark.parametrize("method", METHODS)
def test_every_method_sorts_drawings_and_says_how_sure_it_is(six, method):
    seen, truth = six
    told: list[Iteration] = []
    run = annotate([seen], KINDS, Asked(method), report=told.append)
    assert share_right(run, truth) > 0.8
    assert run.method == method
    assert ((run.confidences >= 0) & (run.confidences <= 1)).all()
    assert (run.margins >= 0).all()
    assert run.similarities.shape == (len(truth), 6)
    assert not run.calibrated
    assert tuple(told) == run.iterations
    assert all(sum(i.distribution) == len(truth) and i.active == np.count_nonzero(i.distribution) for i in told)
    assert list(told[-1].distribution) == run.distribution.tolist()
    assert told[0].moved == 0


def test_the_default_is_graph_from_a_hundred_pictures_on():
    seen, _ = pile({"car": 50, "fish": 49}, ["car", "fish"])
    assert annotate([seen], ["car", "fish"]).method == "text"
    seen, _ = pile({"car": 50, "fish": 50}, ["car", "fish"])
    assert annotate([seen], ["car", "fish"]).method == "graph"


def test_refine_keeps_to_its_rule():
    seen, _ = pile({"car": 50, "fish": 49}, ["car", "fish"])
    few = annotate([seen], ["car", "fish"], Asked("refine"))
    assert len(few.iterations) == 1 and "100" in few.notes[0]
    seen, _ = pile({"car": 60, "fish": 60}, ["car", "fish"])
    run = annotate([seen], ["car", "fish"], Asked("refine"))
    weights = [i.text_weight for i in run.iterations]
    np.testing.assert_allclose(weights, [0.95 - 0.035 * i for i in range(10)] + [0.635])
    texts, vectors = seen.texts.astype(np.float64), seen.vectors.astype(np.float64)
    now = texts
    for weight in weights[:10]:
        labels = (vectors @ now.T).argmax(axis=1)
        now = np.stack([weight * texts[c] + (1 - weight) * vectors[labels == c].mean(axis=0) for c in range(2)])
        now /= np.linalg.norm(now, axis=1, keepdims=True)
    assert (run.labels == (vectors @ now.T).argmax(axis=1)).all()


def test_refine_empties_classes_where_words_are_far_and_says_so_and_graph_does_not():
    seen, truth = far_words()
    names = list("abcde")
    refine, graph = (annotate([seen], names, Asked(method)) for method in ("refine", "graph"))
    assert len(refine.empty) >= 2
    assert all(names[e.went_to] in e.why and refine.distribution[e.index] == 0 for e in refine.empty)
    assert not graph.empty
    assert any("brought level" in note for note in graph.notes)
    assert share_right(graph, truth) > share_right(refine, truth) + 0.2


def test_graph_betters_the_words_on_real_scans_of_digits(digits):
    seen, truth, names = digits
    assert share_right(annotate([seen], names), truth) >= 0.94


def test_names_that_no_picture_shows_are_let_go_and_told(digits):
    seen, truth, names = digits
    some = np.flatnonzero(np.isin(truth, [1, 4, 7]))
    there = View(seen.vectors[some], seen.texts, seen.scale)
    graph, text = (annotate([there], names, Asked(m)) for m in ("graph", "text"))
    assert share_right(graph, truth[some]) > share_right(text, truth[some])
    gone = {names[e.index] for e in graph.empty}
    assert gone and not gone & {"1", "4", "7"}
    assert any("let go" in note for note in graph.notes)


def test_one_large_class_does_not_swallow_the_others():
    counts = {"car": 120, "fish": 15, "flower": 15, "house": 15, "key": 15, "tree": 15}
    seen, truth = pile(counts, KINDS, UNSEEN_STYLE)
    graph, text = (share_right(annotate([seen], KINDS, Asked(m)), truth) for m in ("graph", "text"))
    assert graph >= text - 0.01


def test_the_words_scale_hardly_matters_to_graph(digits):
    seen, truth, names = digits
    some = np.arange(0, len(truth), 3)
    for scale in (seen.scale / 20, seen.scale * 5):
        there = View(seen.vectors[some], seen.texts, scale)
        graph, text = (share_right(annotate([there], names, Asked(m)), truth[some]) for m in ("graph", "text"))
        assert graph >= text


def test_pictures_that_lie_by_something_else_do_not_mislead_graph():
    random = np.random.default_rng(1)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=-1, keepdims=True)  # noqa: E731
    kinds, looks = unit(random.standard_normal((6, 128))), unit(random.standard_normal((9, 128)))
    truth = np.repeat(np.arange(6), 50)
    pictures = (
        0.36 * kinds[truth] + 1.2 * looks[random.integers(0, 9, 300)] + 0.9 * unit(random.standard_normal((300, 128)))
    )
    seen = View(unit(pictures).astype(np.float32), (0.3 * kinds + 0.9 * looks[0]).astype(np.float32), 60.0)
    graph, text = (share_right(annotate([seen], list("abcdef"), Asked(m)), truth) for m in ("graph", "text"))
    nearest = find_neighbours([seen])[0].rows[:, :5]
    assert (truth[nearest] == truth[:, None]).mean() < 0.6 < 0.9 < text
    assert graph >= text


def test_two_encoders_decide_together_whatever_their_scales(six):
    seen, truth = six
    noise = np.random.default_rng(0).standard_normal((2, *seen.vectors.shape)).astype(np.float32) * 0.13
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((128, 128)))[0].astype(np.float32)
    blurred = View(seen.vectors + noise[0], seen.texts, seen.scale)
    other = View((seen.vectors + noise[1]) @ turn, seen.texts @ turn, seen.scale / 2)
    for method in METHODS:
        alone = share_right(annotate([blurred], KINDS, Asked(method)), truth)
        both = share_right(annotate([blurred, other], KINDS, Asked(method)), truth)
        assert both > alone


def test_the_same_seed_gives_the_same_result(six):
    seen, _ = six
    one, two = (annotate([seen], KINDS, Asked("graph", seed=4)) for _ in range(2))
    assert (one.logs == two.logs).all()
    assert (one.confidences == two.confidences).all()


def test_half_precision_and_a_few_pictures_are_enough():
    seen, truth = pile({"car": 2, "fish": 1}, ["car", "fish"])
    half = View(seen.vectors.astype(np.float16), seen.texts, seen.scale)
    for method in METHODS:
        assert (annotate([half], ["car", "fish"], Asked(method)).labels == truth).all()
        one = annotate([View(seen.vectors[:1], seen.texts[:1], 10.0)], ["car"], Asked(method))
        assert one.labels.tolist() == [0] and one.confidences.tolist() == [1.0]
        none = annotate([View(seen.vectors[:0], seen.texts, 10.0)], ["car", "fish"], Asked(method))
        assert len(none.labels) == 0 and len(none.empty) == 2


def test_strangers_score_higher_as_none_of_these_and_a_threshold_takes_them_out():
    from sklearn.metrics import roc_auc_score

    seen, truth = pile({**dict.fromkeys(KINDS[:4], 40), "star": 4, "snowman": 4}, KINDS[:4])
    scores = mean_none_scores(find_neighbours([seen]), annotate([seen], KINDS[:4], Asked("text")).similarities)
    assert roc_auc_score(truth == NONE, scores) > 0.8
    threshold = float(np.sort(scores)[-8])
    run = annotate([seen], KINDS[:4], Asked("graph", threshold=threshold))
    assert np.count_nonzero(run.labels == NONE) == 8
    assert run.distribution.sum() == len(truth) - 8


def test_it_can_be_cancelled(six):
    def cancel(words: str, share: float) -> None:
        raise CancelledError(words)

    with pytest.raises(CancelledError):
        annotate([six[0]], KINDS, tick=cancel)


def test_what_cannot_be_asked_is_refused(six):
    with pytest.raises(UsageError):
        Asked("best")
    with pytest.raises(UsageError):
        Asked(threshold=1.5)
    with pytest.raises(ValueError):
        annotate([six[0]], KINDS[:3])
    with pytest.raises(ValueError):
        annotate([six[0]], KINDS, corrections=Corrections(np.array([0]), np.array([6], np.int32)))
