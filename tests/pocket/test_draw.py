"""Drawings: every kind in every style, at any size, the same for the same seed, and as their attributes say."""

import numpy as np
import pytest

from core.errors import UsageError
from core.pocket.draw import DIGITS, KINDS, STYLES, UNSEEN_STYLE, draw
from core.pocket.drawings import UNSEEN_SEEDS, Task, make, make_or_load, tasks
from core.pocket.styles import COLOURS, TEXTURES

EVERYTHING = (*KINDS, *DIGITS)


def test_there_are_enough_kinds():
    assert len(KINDS) >= 24
    assert {"umbrella", "car", "house", "fish", "cat"} <= set(KINDS)
    assert "".join(DIGITS) == "0123456789"


@pytest.mark.parametrize("style", [None, *STYLES, UNSEEN_STYLE])
@pytest.mark.parametrize("size", [(64, 64), (97, 41)])
def test_every_kind_draws_in_every_style(style, size):
    for kind in EVERYTHING:
        image, attributes = draw(kind, 5, size, style=style)
        assert image.size == size
        assert image.mode == "RGB"
        assert attributes.kind == kind
        assert style is None or attributes.style == style
        assert np.asarray(image).std() > 3, f"{kind} in {style} is an empty picture"


def test_the_same_seed_gives_the_same_picture_and_another_seed_another():
    for kind in EVERYTHING:
        first, again, other = draw(kind, 7), draw(kind, 7), draw(kind, 8)
        assert first.image.tobytes() == again.image.tobytes()
        assert first.attributes == again.attributes
        assert first.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize("size", [(320, 240), (500, 700), (801, 333)])
def test_the_subject_lies_in_the_central_square(size):
    width, height = size
    side = min(size)
    left, top = (width - side) // 2, (height - side) // 2
    for kind in ("umbrella", "car", "7"):
        for seed in range(6):
            image, attributes = draw(kind, seed, size, style="flat", effects=False)
            if attributes.backdrop != "plain":
                continue
            body = np.asarray(image, dtype=float)
            near = np.linalg.norm(body - COLOURS[attributes.colour], axis=2) < 70
            inside = near[top : top + side, left : left + side].sum()
            assert inside > 0.003 * side * side
            paper = np.linalg.norm(np.subtract(COLOURS[attributes.colour], COLOURS[attributes.background]))
            if paper > 250:  # the background itself cannot be mistaken for the colour
                assert inside >= 0.98 * near.sum()


def test_a_flat_drawing_has_the_colours_it_says():
    names = list(COLOURS)
    values = np.array(list(COLOURS.values()), dtype=float)
    for kind in KINDS:
        image, attributes = draw(kind, 3, style="flat", effects=False)
        pixels = np.asarray(image, dtype=float).reshape(-1, 1, 3)
        nearest = np.bincount(np.linalg.norm(pixels - values, axis=2).argmin(1), minlength=len(names))
        assert nearest[names.index(attributes.colour)] > 40, (kind, attributes)


def test_attributes_vary():
    drawn = [draw("house", seed).attributes for seed in range(400)]
    assert {a.colour for a in drawn} == set(COLOURS)
    assert {a.background for a in drawn} == set(COLOURS)
    assert {a.texture for a in drawn} == {a.backdrop for a in drawn} == set(TEXTURES)
    assert {a.style for a in drawn} == set(STYLES)
    scripts = {draw("4", seed).attributes.script for seed in range(50)}
    assert scripts == {"handwritten", "printed"}


def test_no_style_of_its_own_accord_is_the_unseen_one():
    assert UNSEEN_STYLE not in STYLES
    assert all(task.style is None and task.seed < UNSEEN_SEEDS for task in tasks(500, seed=3))


@pytest.mark.parametrize(
    "arguments",
    [
        ("dragon", 1, (64, 64), None),
        ("car", 1, (64, 64), "oil"),
        ("car", 1, (64, 64), "scan"),
        ("car", 1, (4, 64), None),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments):
    kind, seed, size, style = arguments
    with pytest.raises(UsageError) as refused:
        draw(kind, seed, size, style=style)
    assert refused.value.todo


def test_many_drawings_do_not_depend_on_the_number_of_processes():
    wanted = [Task(kind, 11) for kind in EVERYTHING]
    one, two = make(wanted), make(wanted, processes=2)
    assert np.array_equal(one.pixels, two.pixels)
    assert one.attributes == two.attributes
    assert np.array_equal(one.pixels[0], np.asarray(draw(KINDS[0], 11).image))


def test_training_drawings_are_kept_and_replaced_when_others_are_wanted(tmp_path):
    file = tmp_path / "drawings.npz"
    first = make_or_load(60, 0, 1, file)
    stamp = file.stat().st_mtime_ns
    again = make_or_load(60, 0, 1, file)
    assert file.stat().st_mtime_ns == stamp
    assert np.array_equal(first.pixels, again.pixels)
    assert first.attributes == again.attributes
    other = make_or_load(60, 1, 1, file)
    assert not np.array_equal(first.pixels, other.pixels)
    assert {a.kind for a in first.attributes} == set(EVERYTHING)
