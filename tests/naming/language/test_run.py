"""Labels and names from a server that behaves: what is asked, what is kept, and that it is paid for once."""

import dataclasses
import json
import os
import shutil

import pytest

from core.catalog import clusterings, curation, images
from core.errors import ShoeboxError, UsageError
from core.naming.language import consent
from core.naming.language.estimate import estimate
from core.naming.language.server import Server
from core.project import open_project
from tests.naming.language.conftest import KEY, disagree, last_run
from tests.naming.server import data_of, jpeg_of, kind_of, pictures_of, text_of


def test_every_sample_gets_a_label_and_every_cluster_a_name(talk, server):
    result = talk.name()
    assert result.error is None
    assert (result.labelled, result.unlabelled) == (12, 0)
    assert (result.named, result.unnamed) == (4, 0)
    assert server.kinds == {"label": 12, "name": 4}
    for proposal in result.proposals:
        assert 1 <= len(proposal.name.split()) <= 4
        assert len(proposal.alternatives) == 2
        assert proposal.description
        assert proposal.model == "seer"
        assert len(proposal.shown) >= 3
    assert result.figures == {"calls": 16, "input_tokens": 1600, "output_tokens": 160, "cost": None}


def test_a_second_run_costs_nothing(talk, server):
    first = talk.name()
    before = server.calls
    second = talk.name()
    assert server.calls == before
    assert second.proposals == first.proposals
    assert second.figures["calls"] == 0


def test_labels_are_shared_by_both_stages(talk, server):
    talk.label()
    assert server.kinds == {"label": 12}
    talk.name()
    assert server.kinds == {"label": 12, "name": 4}


def test_chosen_clusters_only(talk, server):
    with talk.project.database() as db:
        number = clusterings.clusters_of(db, last_run(talk.project).id)[0].number
    result = talk.name([number])
    assert [p.cluster for p in result.proposals] == [number]
    assert server.kinds == {"label": 3, "name": 1}
    with pytest.raises(UsageError, match="no cluster 99"):
        talk.name([99])


def test_each_picture_goes_alone_and_small_and_a_sheet_goes_with_the_name(talk, server):
    talk.name()
    from io import BytesIO

    from PIL import Image

    for request in server.requests:
        (url,) = pictures_of(request)
        picture = Image.open(BytesIO(jpeg_of(url)))
        assert max(picture.size) <= (256 if kind_of(request) == "label" else 3 * 256 + 16)
        part = next(p for p in request["messages"][1]["content"] if p["type"] == "image_url")
        assert part["image_url"]["detail"] == ("low" if kind_of(request) == "label" else "auto")
        assert request["response_format"]["json_schema"]["strict"] is True


def test_a_name_is_asked_for_with_the_labels_and_what_the_neighbours_show(talk, server):
    talk.name()
    for request in server.requests:
        if kind_of(request) == "name":
            data = data_of(request)
            assert len(data["labels"]) == 3
            assert len(data["other_groups"]) == 3
            assert all(group["shows"] for group in data["other_groups"])


def test_no_file_name_leaves_the_machine(talk, server):
    talk.name()
    sent = json.dumps(server.requests)
    with talk.project.database() as db:
        names = [os.fsdecode(images.get(db, i).path) for i in talk.name().proposals[0].shown]
    assert names
    for name in names:
        assert name not in sent
        assert name.rsplit(".")[0] not in sent


def test_a_sentence_of_context_steers_every_prompt_and_is_another_question(talk, server):
    talk.name()
    talk.with_settings(context="drawings by a child").name(twins=lambda names: [sorted(names)])
    later = server.requests[16:]
    assert {kind_of(r) for r in later} == {"label", "name", "twins"}
    assert all("drawings by a child" in r["messages"][0]["content"] for r in later)


def test_a_hint_asks_again_about_one_cluster(talk, server):
    number = talk.name().proposals[0].cluster
    before = server.calls
    talk.name([number], hints={number: "look at the ears"})
    assert server.calls == before + 1
    assert data_of(server.requests[-1])["hint_of_the_owner"] == "look at the ears"
    assert "look at the ears" not in server.requests[-1]["messages"][0]["content"]
    talk.name([number], again=True)
    assert server.calls == before + 2


def test_names_that_mean_the_same_are_asked_about_once_a_group(talk, server):
    server.behaviour.habits = {"same_names"}
    result = talk.name(twins=lambda names: [sorted(names)])
    assert server.kinds["twins"] == 1
    names = [p.name for p in result.proposals]
    assert len(set(names)) == 4
    assert talk.name(twins=lambda names: [sorted(names)]).proposals == result.proposals
    assert server.kinds["twins"] == 1


def test_clusters_that_were_not_asked_about_keep_their_names_among_twins(talk, server):
    server.behaviour.habits = {"same_names"}
    numbers = [p.cluster for p in talk.name().proposals]
    with talk.project.database() as db:
        db.execute("UPDATE clusters SET name = 'kept by me' WHERE number = ?", (numbers[0],))
    result = talk.name(numbers[1:], twins=lambda names: [sorted(names)])
    told = data_of(server.requests[-1])["groups"]
    assert all(p.cluster != numbers[0] for p in result.proposals)
    kept = next(group for group in told if group["number"] == numbers[0])
    assert (kept["name"], kept["keeps_its_name"]) == ("kept by me", True)


def test_prompts_are_files_that_a_user_can_replace(talk, server, home):
    first = talk.name().proposals[0]
    folder = talk.project.directory / "prompts"
    folder.mkdir()
    (folder / "name.txt").write_text('Call it what a sailor would. {"name": "..."}')
    second = talk.name([first.cluster]).proposals[0]
    assert "sailor" in server.requests[-1]["messages"][0]["content"]
    assert second.prompt != first.prompt
    assert server.kinds["label"] <= 12  # the labels' prompt is what it was
    (folder / "name.txt").write_text("  ")
    with pytest.raises(ShoeboxError, match=r"name\.txt is empty"):
        talk.name()


def test_the_estimate_comes_close_and_knows_what_is_here_already(talk, server):
    project, run, settings = talk.project, last_run(talk.project), talk.settings
    before = estimate(project, run, settings, talk.environment, stage="name")
    assert (before.calls, before.known, before.cost) == (16, 0, None)
    talk.name()
    assert server.calls == before.calls
    after = estimate(project, run, settings, talk.environment, stage="name")
    assert (after.calls, after.known) == (0, 16)
    assert "nothing is asked" in after.said()
    first = talk.name().proposals[0].cluster
    hinted = estimate(project, run, settings, talk.environment, stage="name", hints={first: "look at the ears"})
    assert (hinted.calls, hinted.known) == (1, 15)
    with project.database() as db:
        curation.rename(db, run.id, first, "mine")
    assert estimate(project, run, settings, talk.environment, stage="name").clusters == 3, "mine is not asked about"


def test_a_known_model_has_a_price_and_ones_own_price_counts_before(talk):
    project, run = talk.project, last_run(talk.project)
    known = talk.with_settings(model="gpt-4.1-mini-2025-04-14").settings
    priced = estimate(project, run, known, talk.environment, stage="label")
    assert priced.cost == pytest.approx((priced.input_tokens * 0.4 + priced.output_tokens * 1.6) / 1e6, abs=1e-4)
    assert "list prices" in priced.said()
    own = talk.with_settings(price_in=10.0, price_out=20.0).settings
    priced = estimate(project, run, own, talk.environment, stage="label")
    assert priced.cost == pytest.approx((priced.input_tokens * 10 + priced.output_tokens * 20) / 1e6, abs=1e-4)


def test_most_calls_stop_it_cleanly_and_what_was_done_is_kept(talk, server):
    result = talk.with_settings(max_calls=7).name()
    assert server.calls == 7
    assert result.labelled == 7
    assert "--max-calls 7" in result.stopped
    assert result.error is None
    talk.name()
    assert server.calls == 16


def test_most_money_stops_it_before_it_is_spent(talk, server):
    priced = talk.with_settings(price_in=10.0, price_out=10.0)  # a call is 0.0011 by what the server counts
    result = priced.with_settings(max_cost=0.02).name()
    assert "--max-cost 0.02" in result.stopped
    assert 0 < result.figures["cost"] <= 0.02
    assert result.figures["cost"] == pytest.approx(0.0011 * server.calls)
    with pytest.raises(UsageError, match="price of seer is not known"):
        talk.with_settings(max_cost=1.0).name()


def test_what_a_run_spent_before_it_was_cut_counts_for_its_bounds(talk, server):
    import time

    from core.naming.language.watch import Watch

    began = time.time()
    talk.with_settings(max_calls=5).name(watch=Watch(since=began))
    talk.with_settings(max_calls=5).name(watch=Watch(since=began))
    assert server.calls == 5


def test_nothing_is_sent_before_the_user_agreed(talk, server, home):
    disagree(home)
    with pytest.raises(ShoeboxError, match="nobody agreed"):
        talk.name()
    assert server.calls == 0


def test_who_agreed_without_a_key_did_not_agree_to_send_one(talk, server, home):
    disagree(home)
    with talk.project.database() as db:
        consent.give(db, Server(server.url, "seer"))
    with pytest.raises(ShoeboxError, match="nobody agreed"):
        talk.label()
    assert server.calls == 0
    assert dataclasses.replace(talk, environment={}).label().labelled == 12


def test_agreement_is_about_one_project_and_does_not_travel_with_it(talk, server, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(talk.project.directory.parent, copy)
    with pytest.raises(ShoeboxError, match="nobody agreed"):
        dataclasses.replace(talk, project=open_project(copy)).label()
    assert server.calls == 0


def test_no_more_are_asked_at_once_than_the_settings_say(talk, server):
    server.behaviour.delay = 0.05
    talk.with_settings(calls_at_once=3).name()
    assert server.most_at_once <= 3


def test_the_key_goes_to_the_server_and_into_no_file(talk, server):
    talk.name()
    assert set(server.authorizations) == {f"Bearer {KEY}"}
    for file in talk.project.directory.rglob("*"):
        assert file.is_dir() or KEY.encode() not in file.read_bytes(), file
    assert KEY not in text_of(server.requests[0])
