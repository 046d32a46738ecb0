"""A job about very many pictures reaches the worker; one that is too large for it is refused with a reason."""

import dataclasses
import random

import pytest

from core.catalog import clusterings
from core.clustering.settings import ClusterSettings
from core.errors import ShoeboxError, UsageError
from core.jobs.client import Client
from core.jobs.picked import pack, unpack
from core.project import open_project


@pytest.mark.parametrize("ids", [[], [0], [3, 1, 2], range(1, 50_000, 7)])
def test_pictures_come_out_as_they_went_in(ids):
    assert unpack(pack(ids)) == sorted(ids)


@pytest.mark.parametrize("text", ["-", "AAAA", "no pictures"])
def test_what_is_no_list_of_pictures_is_refused(text):
    with pytest.raises(UsageError, match="no list of pictures"):
        unpack(text)


def test_any_number_of_marked_pictures_is_clustered_and_too_large_a_job_is_refused(embedded):
    project = open_project(embedded)
    clustering = dataclasses.asdict(ClusterSettings(clusters=4))
    with Client(project) as client:
        *_, job = client.watch(client.submit("cluster", {"clustering": clustering}))
        assert job.state == "done", job.error
        with pytest.raises(ShoeboxError, match="too much to ask"):
            client.submit("cluster", {"clustering": clustering, "within": {"images": list(range(4_000_000))}})
        # Most of them are of no picture here: what counts is that so many get through.
        many = {*range(1, 65), *random.Random(0).sample(range(65, 2_000_000), 400_000)}
        marked = {"clustering": dataclasses.asdict(ClusterSettings(clusters=3)), "within": {"images": pack(many)}}
        *_, job = client.watch(client.submit("cluster", marked))
        assert job.state == "done", job.error
    with project.database() as db:
        assert "64 pictures grouped anew" in clusterings.all_clusterings(db)[-1].route
