"""Threads that share an encoder take turns."""

import threading

from core.encoders.turns import Turns


def test_who_came_first_goes_first_and_nobody_beside_another():
    turns, order = Turns(), []

    def work(number: int) -> None:
        with turns:
            order.append(number)
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with turns:
        for number, thread in enumerate(threads, start=2):
            thread.start()
            while turns._next < number:  # it waits in line before the next one comes
                pass
    for thread in threads:
        thread.join()
    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
