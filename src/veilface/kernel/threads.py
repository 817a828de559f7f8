"""Work in equal parts for all cores, where NumPy and the kernel let go of the interpreter's lock.

Threads are one set for the whole process. Whoever has work does it, and others help as they are free: so work inside
work waits for nobody, and a process that was forked off, in which no other thread lives, does all of it alone.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Lock
from typing import TypeVar

Part = TypeVar("Part")


def here() -> int:
    """How many threads to use unless told: the cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(do: Callable[[Part], None], parts: Iterable[Part]) -> None:
    """Do every part, on this thread and on others; raises what one of them raised, once all have ended."""
    left, lock = iter(parts), Lock()

    def taken() -> Iterator[Part]:
        while True:
            with lock:
                try:
                    part = next(left)
                except StopIteration:
                    return
            yield part

    def labour() -> None:
        for part in taken():
            do(part)

    helpers = [_helpers().submit(labour) for _ in range(here() - 1)]
    try:
        labour()
    finally:
        started = [helper for helper in helpers if not helper.cancel()]
        wait(started)
    for helper in started:
        helper.result()


@cache
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, here() - 1), thread_name_prefix="veilface-part")
