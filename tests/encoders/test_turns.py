"""Threads that share an encoder take turns."""

import sys
import threading
import time

from core.encoders.turns import Turns


def until_it_waits(thread: threading.Thread) -> None:
    """Waits until a thread stands in line: until it sleeps in `with turns`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        frame = sys._current_frames().get(thread.ident or 0)
        called = []
        while frame is not None:
            called.append(frame.f_code.co_name)
            frame = frame.f_back
        if "__enter__" in called and "wait" in called:
            return
        time.sleep(0.001)
    raise AssertionError("it never came to wait")


def test_who_came_first_goes_first_and_nobody_beside_another():
    turns, order = Turns(), []

    def work(number: int) -> None:
        with turns:
            order.append(number)
            time.sleep(0.001)
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with turns:
        for thread in threads:
            thread.start()
            until_it_waits(thread)
    for thread in threads:
        thread.join()
    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_who_lets_go_and_comes_back_at_once_stands_behind_who_waits():
    turns, order = Turns(), []

    def search() -> None:
        with turns:
            order.append("search")

    waiting = threading.Thread(target=search)
    with turns:
        waiting.start()
        until_it_waits(waiting)
    with turns:
        order.append("embed")
    waiting.join()
    assert order == ["search", "embed"]
