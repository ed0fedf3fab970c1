"""Calls that are given up after a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bioimageio_core.errors import ModelRunError, SourceError
from bioimageio_core.time_limits import TimeLimitedCalls, calls_were_given_up, time_limit


class TestVariable:
    """The environment variable BMZ_TIMEOUT."""

    def test_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A number of seconds above 0; without it there is no limit."""
        monkeypatch.setenv("BMZ_TIMEOUT", " ")
        assert time_limit() is None
        monkeypatch.setenv("BMZ_TIMEOUT", "2.5")
        assert time_limit() == 2.5
        for wrong in ("0", "-1", "nan", "inf", "soon"):
            monkeypatch.setenv("BMZ_TIMEOUT", wrong)
            with pytest.raises(SourceError, match=f"BMZ_TIMEOUT is '{wrong}': expected a number of seconds"):
                time_limit()


class TestCalls:
    """Functions called within a time."""

    @pytest.fixture
    def stuck(self) -> Iterator[threading.Event]:
        """An event that native code waits for; set in the end, so that no thread is left."""
        event = threading.Event()
        yield event
        event.set()

    def test_results(self) -> None:
        """Results and exceptions are those of the function."""
        for seconds in (None, 60):
            calls = TimeLimitedCalls(seconds, "the network")
            assert calls(divmod, 7, 2) == (3, 1)
            with pytest.raises(ZeroDivisionError):
                calls(divmod, 7, 0)

    def test_threads(self) -> None:
        """Without a limit the calling thread calls; with one, each calling thread has one thread for all its calls."""
        assert TimeLimitedCalls(None, "the network")(threading.get_ident) == threading.get_ident()
        calls, found = TimeLimitedCalls(60, "the network"), []
        others = [threading.Thread(target=lambda: found.append({calls(threading.get_ident) for _ in range(3)})) for _ in range(2)]
        for other in others:
            other.start()
        mine = {calls(threading.get_ident) for _ in range(3)}
        for other in others:
            other.join()
        assert [len(one) for one in (mine, *found)] == [1, 1, 1]
        assert threading.get_ident() not in mine

    def test_given_up(self, stuck: threading.Event) -> None:
        """A call that takes longer is an error; later calls do not wait for it, and the process knows of it until it ends."""
        calls = TimeLimitedCalls(0.05, "the network")
        with pytest.raises(ModelRunError, match=r"the network gave no answer within 0\.05 s.*BMZ_TIMEOUT="):
            calls(stuck.wait)
        assert calls_were_given_up()
        assert TimeLimitedCalls(60, "the network")(len, "ab") == 2
        stuck.set()
        for thread in threading.enumerate():
            if "given up" in thread.name:
                thread.join(0.01)  # it waits for further calls until `calls` is freed
        del calls
        for thread in threading.enumerate():
            if "given up" in thread.name:
                thread.join()
        assert not calls_were_given_up()

    def test_given_up_for_another_reason(self, stuck: threading.Event) -> None:
        """What a check raises while the call runs ends the wait for it, long before the time is over."""
        calls, looks = TimeLimitedCalls(3600, "the network"), []

        def check() -> None:
            looks.append(None)
            if len(looks) == 3:
                raise ModelRunError("it takes too much")

        with pytest.raises(ModelRunError, match="it takes too much"):
            calls(stuck.wait, check=check)
        assert calls_were_given_up()
        assert calls(len, "ab", check=check) == 2
