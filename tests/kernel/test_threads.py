"""Parts are done once each, whoever does them, also inside one another."""

import os
from collections import Counter

import pytest

from veilface.kernel import threads


@pytest.fixture(autouse=True)
def _several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "here", lambda: 4)


def test_every_part_is_done_once_and_work_inside_work_ends() -> None:
    done: Counter[tuple[int, int]] = Counter()
    threads.spread(lambda outer: threads.spread(lambda inner: done.update([(outer, inner)]), range(20)), range(20))
    assert set(done.values()) == {1}
    assert len(done) == 400


def test_what_a_part_raises_comes_back() -> None:
    def fail(part: int) -> None:
        if part == 7:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        threads.spread(fail, range(20))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_does_its_parts_alone() -> None:
    threads.spread(lambda _: None, range(4))
    done: list[int] = []
    child = os.fork()
    if not child:
        threads.spread(done.append, range(9))
        os._exit(done != list(range(9)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
