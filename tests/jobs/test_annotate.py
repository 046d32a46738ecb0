"""The jobs that a screen asks for: annotate what is embedded, with rounds told live; a new queue; an export."""

from typing import Any

import pytest

from core.catalog import annotation, classes
from core.errors import ShoeboxError
from core.jobs.context import Control, JobContext
from core.jobs.kinds import lane_of, run_job
from core.jobs.models import LoadedEncoders
from core.project import find_project
from core.settings import Settings

NAMES = ("car", "fish", "star", "umbrella")


def test_a_screen_annotates_reviews_and_exports(embedded, tmp_path):
    project = find_project(embedded)
    told: list[dict[str, Any]] = []
    context = JobContext(
        project=project,
        settings=Settings(),
        environment={},
        models=LoadedEncoders(),
        control=Control(),
        report=told.append,
    )
    with project.database() as db:
        classes.set_classes(db, [(name, ()) for name in NAMES], ["a drawing of a {}", "{}"])
    made = run_job("annotate", context, {"annotation": {"method": "graph", "review": 3}})
    rounds = [data["iteration"] for data in told if "iteration" in data]
    assert [r["number"] for r in rounds] == sorted(r["number"] for r in rounds)
    assert {"mean_confidence", "active", "text_weight", "moved", "distribution"} <= rounds[-1].keys()
    assert all(data["stage"] in ("annotating", "loading") for data in told)
    assert len(run_job("review", context, {"count": 9})["queue"]) == 9
    out = tmp_path / "out"
    asked = {"working_directory": str(tmp_path), "output": str(out), "mode": "hardlink", "ratios": [8, 0, 2]}
    written = run_job("export_annotation", context, {"export": asked})
    assert (written["files"], written["splits"]["val"]) == (64, 0)
    assert sum(written["splits"].values()) == 64
    assert {path.name for path in (out / "splits").iterdir()} == {"train", "test"}
    with project.database() as db:
        run = annotation.latest(db)
        assert run is not None and run.id == made["annotation"]
        assert run.classes[0].prompts == ("a drawing of a car", "car")
    with pytest.raises(ShoeboxError, match="not embedded with"):
        run_job("annotate", context, {"annotation": {}, "encoders": [{"encoder": "open_clip:ViT-B-32/openai"}]})
    assert {lane_of(kind) for kind in ("annotate", "review", "export_annotation")} == {"interactive"}
