"""The table of jobs: taken in order, held, cancelled, and taken up again after a death."""

import pytest

from core.catalog import jobs
from core.catalog.database import Database
from core.catalog.jobs import Job, Lane


def taken(db: Database, lane: Lane) -> Job:
    """The next job, which there is."""
    job = jobs.take_next(db, lane)
    assert job is not None
    return job


def states(db) -> list[str]:
    return [job.state for job in reversed(jobs.recent(db))]


def test_the_same_unfinished_job_is_found_again(db):
    first = jobs.add(db, "embed", "bulk", {"a": 1, "b": [2]})
    assert jobs.add(db, "embed", "bulk", {"b": [2], "a": 1}) == first
    assert jobs.add(db, "embed", "bulk", {"a": 2}) != first
    assert jobs.add(db, "cluster", "interactive", {"a": 1, "b": [2]}) != first
    assert taken(db, "bulk").id == first
    assert jobs.add(db, "embed", "bulk", {"a": 1, "b": [2]}) == first, "it runs"


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_finished_job_is_queued_anew(db, state):
    first = jobs.add(db, "embed", "bulk", {})
    jobs.take_next(db, "bulk")
    jobs.finish(db, first, state)
    assert jobs.add(db, "embed", "bulk", {}) != first


def test_a_job_that_is_being_cancelled_is_queued_anew(db):
    first = jobs.add(db, "embed", "bulk", {})
    jobs.take_next(db, "bulk")
    jobs.request_cancel(db, first)
    assert jobs.add(db, "embed", "bulk", {}) != first


def test_jobs_are_taken_oldest_first_each_lane_by_itself_and_paused_ones_wait(db):
    one, held, two = (jobs.add(db, "embed", "bulk", {"n": n}) for n in range(3))
    quick = jobs.add(db, "cluster", "interactive", {})
    jobs.set_paused(db, held, paused=True)
    assert [taken(db, "bulk").id for _ in range(2)] == [one, two]
    assert jobs.take_next(db, "bulk") is None
    job = taken(db, "interactive")
    assert (job.id, job.state, job.attempts, job.params) == (quick, "running", 1, {})
    assert job.started is not None and not job.ended
    assert jobs.take_next(db, "interactive") is None
    jobs.set_paused(db, held, paused=False)
    assert taken(db, "bulk").id == held


def test_a_job_is_taken_by_one_of_two(db, path):
    for n in range(20):
        jobs.add(db, "embed", "bulk", {"n": n})
    with Database(path) as other:
        ids = [taken(connection, "bulk").id for _ in range(10) for connection in (db, other)]
    assert len(set(ids)) == 20


def test_a_queued_job_is_cancelled_at_once_a_running_one_is_asked(db):
    running, queued = (jobs.add(db, "embed", "bulk", {"n": n}) for n in range(2))
    jobs.take_next(db, "bulk")
    for job_id in (running, queued):
        jobs.request_cancel(db, job_id)
    assert states(db) == ["running", "cancelled"]
    assert jobs.flags(db, running) == (True, False)
    assert jobs.get(db, queued).ended
    assert jobs.take_next(db, "bulk") is None
    assert [job.id for job in jobs.unfinished(db)] == [running]


def test_progress_and_result_are_read_as_written(db):
    job_id = jobs.add(db, "embed", "bulk", {"path": "Ж"})
    assert (jobs.get(db, job_id).progress, jobs.get(db, job_id).result) == ({}, {})
    jobs.set_progress(db, job_id, {"done": 3, "failures": [[1, "é"]]})
    jobs.finish(db, job_id, "failed", result={"exit_code": 2}, error="one line")
    job = jobs.get(db, job_id)
    assert (job.params, job.progress) == ({"path": "Ж"}, {"done": 3, "failures": [[1, "é"]]})
    assert (job.state, job.result, job.error, job.ended) == ("failed", {"exit_code": 2}, "one line", True)
    assert job.finished is not None


def test_what_a_dead_worker_left_running_is_queued_cancelled_or_given_up(db):
    again, unwanted, hopeless, waiting = (jobs.add(db, "embed", "bulk", {"n": n}) for n in range(4))
    for _ in range(3):
        jobs.take_next(db, "bulk")
    db.execute("UPDATE jobs SET deaths = 2 WHERE id = ?", (hopeless,))
    jobs.request_cancel(db, unwanted)
    jobs.take_up_orphans(db, most_deaths=3)
    assert states(db) == ["queued", "cancelled", "failed", "queued"]
    assert "died 3 times" in str(jobs.get(db, hopeless).error)
    assert [taken(db, "bulk").id for _ in range(2)] == [again, waiting]
    assert jobs.get(db, again).attempts == 2


def test_a_job_that_kills_every_worker_is_given_up_in_the_end(db):
    jobs.add(db, "embed", "bulk", {})
    for _ in range(3):
        assert jobs.take_next(db, "bulk") is not None
        jobs.take_up_orphans(db, most_deaths=3)
    assert states(db) == ["failed"]
    assert jobs.take_next(db, "bulk") is None


def test_a_job_that_gets_on_outlives_any_number_of_deaths(db):
    job_id = jobs.add(db, "embed", "bulk", {})
    for _ in range(5):
        assert jobs.take_next(db, "bulk") is not None
        jobs.got_on(db, job_id)
        jobs.take_up_orphans(db, most_deaths=3)
    assert (states(db), jobs.get(db, job_id).attempts) == (["queued"], 5)
    for _ in range(2):
        assert jobs.take_next(db, "bulk") is not None
        jobs.take_up_orphans(db, most_deaths=3)
    assert states(db) == ["failed"], "two more, and the last one of those before"


def test_the_last_jobs_come_newest_first(db):
    ids = [jobs.add(db, "embed", "bulk", {"n": n}) for n in range(5)]
    assert [job.id for job in jobs.recent(db, 3)] == ids[:1:-1]
