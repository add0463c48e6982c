"""One configuration in force at a time; what it replaced finishes its work and is closed, never sooner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.config.load import Located
from gateway.config.models import Config
from gateway.errors import ConfigError, Finding
from gateway.live import GRACE, Live, Loaded
from tests.fakes import FakeClock

DEADLINE = 20.0


@dataclass
class Made:
    """A configuration that tells what became of it."""

    name: str
    config: Config
    closed: bool = False
    working: bool = False
    registry: Any = field(default_factory=lambda: SimpleNamespace(longest_deadline=DEADLINE, agencies={}))
    draft: Any = field(default_factory=lambda: SimpleNamespace(adopt=lambda: None))

    async def close(self) -> None:
        self.closed = True

    @asynccontextmanager
    async def running(self, over: asyncio.Event) -> AsyncIterator[None]:
        self.working = True
        yield
        assert over.is_set()
        self.working = False


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock(autojump=False)
        self.made: list[Made] = []
        self.shown: list[str] = []
        self.forgotten: list[str] = []
        self.events: list[tuple[str, dict[str, object]]] = []
        self.config = Config()
        self.refusal: Exception | None = None
        self.closed_door: Exception | None = None
        self.live = Live(
            read=self.read,
            build=self.build,
            swap=lambda loaded: self.shown.append(self.of(loaded).name),
            background=lambda loaded: cast("Any", self.of(loaded)),
            clock=self.clock,
            listen=self.listen,
            forget=self.forgotten.append,
            log=lambda event, /, **facts: self.events.append((event, facts)),
        )

    @staticmethod
    def of(loaded: Loaded) -> Made:
        return cast("Made", loaded.assembled)

    async def listen(self, _loaded: Loaded) -> None:
        if self.closed_door is not None:
            raise self.closed_door

    def read(self) -> Located:
        return Located(config=self.config, file="gateway.toml", folder=Path(), lines={}, absent=())

    def build(self, located: Located) -> Loaded:
        if self.refusal is not None:
            raise self.refusal
        self.made.append(Made(f"number {len(self.made) + 1}", located.config))
        return Loaded(located=located, assembled=cast("Any", self.made[-1]))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    await made.live.start(made.read())
    yield made
    await made.live.close()


async def test_the_new_one_is_in_force_and_the_old_one_closed_after_its_last_call(rig: Rig) -> None:
    await rig.live.reload()
    first, second = rig.made
    assert rig.shown == ["number 1", "number 2"]
    await asyncio.sleep(0)
    assert (first.closed, second.working) == (False, True)
    await rig.clock.advance(DEADLINE)
    assert (first.working, first.closed) == (False, False)
    await rig.clock.advance(GRACE)
    assert (first.closed, second.closed) == (True, False)


async def test_an_agency_that_is_gone_is_forgotten_when_nothing_of_it_is_under_way_any_more(rig: Rig) -> None:
    rig.made[0].registry.agencies = dict.fromkeys(("dinkes", "pln", "bpjs"))
    await rig.live.reload()
    rig.made[1].registry.agencies = dict.fromkeys(("dinkes",))
    await rig.live.reload()
    rig.made[2].registry.agencies = dict.fromkeys(("dinkes", "bpjs"))
    assert rig.forgotten == []
    await rig.clock.advance(DEADLINE + GRACE)
    assert rig.forgotten == ["pln"]


async def test_what_is_refused_changes_nothing(rig: Rig) -> None:
    rig.refusal = ConfigError(Finding(where="gateway.toml:3", what="is not TOML"))
    with pytest.raises(ConfigError):
        await rig.live.reload()
    assert rig.shown == ["number 1"]
    assert rig.events == [("configuration-refused", {"level": "error", "why": ["gateway.toml:3: is not TOML"]})]


async def test_a_listener_that_can_not_be_renewed_is_a_refusal_that_changes_nothing_else(rig: Rig) -> None:
    rig.closed_door = ConfigError(Finding(where="gateway.toml:3", what="gateway.tls: too many open files"))
    with pytest.raises(ConfigError):
        await rig.live.reload()
    assert rig.shown == ["number 1"]
    assert [event for event, _ in rig.events] == ["configuration-refused"]


async def test_an_adapter_that_breaks_when_it_is_made_is_a_refusal_and_is_logged_whole(rig: Rig) -> None:
    rig.refusal = ZeroDivisionError("in an adapter")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        await rig.live.reload()
    assert [event for event, _ in rig.events] == ["bug", "configuration-refused"]
    assert rig.shown == ["number 1"]


async def test_what_belongs_to_the_process_can_not_change(rig: Rig) -> None:
    rig.config = Config.model_validate({"gateway": {"listen": "127.0.0.1:8081", "holidays": "none"}})
    with pytest.raises(ConfigError, match="listen: can't change") as refused:
        await rig.live.reload()
    assert len(refused.value.findings) == 1
    assert rig.shown == ["number 1"]


async def test_at_the_end_everything_is_closed_at_once(rig: Rig) -> None:
    await rig.live.reload()
    await rig.live.reload()
    await asyncio.wait_for(rig.live.close(), 30)
    assert [made.closed for made in rig.made] == [True, True, True]
    assert not any(made.working for made in rig.made)
