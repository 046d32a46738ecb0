"""The channel between two stages."""

import threading
import time

import pytest

from core.embedding.channel import Channel, StoppedError
from tests.programs import PATIENCE


def test_it_never_holds_more_than_its_capacity_and_the_giver_waits():
    channel: Channel[int] = Channel(3)
    given = []

    def give() -> None:
        for number in range(10):
            channel.put(number)
            given.append(number)
        channel.finish()

    giver = threading.Thread(target=give)
    giver.start()
    deadline = time.monotonic() + PATIENCE
    while len(given) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    assert given == [0, 1, 2]  # the fourth waits
    taken = []
    while not channel.over:
        taken += channel.take(1)
    giver.join()
    assert taken == list(range(10))
    assert channel.seconds_full > 0.1


def test_a_taker_waits_for_a_full_batch_and_gets_the_rest_at_the_end():
    channel: Channel[int] = Channel(8)
    for number in range(6):
        channel.put(number)
    assert channel.take(4) == [0, 1, 2, 3]
    threading.Timer(0.1, channel.finish).start()
    assert channel.take(4) == [4, 5]
    assert channel.over
    assert channel.take(4) == []


def test_with_a_timeout_it_gives_what_there_is():
    channel: Channel[int] = Channel(8)
    channel.put(1)
    assert channel.take(4, timeout=0.05) == [1]
    assert channel.take(4, timeout=0.05) == []
    assert not channel.over


def test_stop_frees_who_waits_on_either_end():
    full: Channel[int] = Channel(1)
    full.put(0)
    threading.Timer(0.1, full.stop).start()
    with pytest.raises(StoppedError):
        full.put(1)
    empty: Channel[int] = Channel(1)
    threading.Timer(0.1, empty.stop).start()
    assert empty.take(1) == []
    assert empty.over
