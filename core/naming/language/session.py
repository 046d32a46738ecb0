"""What every piece of work with a language model needs at hand."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.naming.language import consent
from core.naming.language.asking import Asker
from core.naming.language.meter import Meter
from core.naming.language.pictures import Pictures
from core.naming.language.prices import price_of
from core.naming.language.server import Server, server_of
from core.naming.language.watch import Tally, Watch, drive

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.project import Project
    from core.settings import Settings


@dataclass
class Session:
    """One piece of work with one server. `told` gathers what the user should know, each once."""

    project: Project
    db: Database
    settings: Settings
    server: Server
    meter: Meter
    pictures: Pictures
    watch: Watch
    told: list[str] = field(default_factory=list)

    def tell(self, words: str) -> None:
        """Remembers something that the user should know."""
        if words not in self.told:
            self.told.append(words)

    def run(self, work: Callable[[Asker], Coroutine[Any, Any, None]], tally: Tally) -> None:
        """Does work that asks, and publishes how far it is. Raises CancelledError, or what ended the work."""
        asker: Asker | None = None

        async def whole() -> None:
            nonlocal asker
            asker = Asker(self.server, self.db, self.meter, seconds=self.settings.reply_seconds)
            try:
                await work(asker)
            finally:
                await asker.close()

        def tick() -> None:
            waiting = asker.pace.waiting() if asker else 0.0
            message = self.meter.said()
            if waiting > 1:
                message += f", {self.server.where} asks to wait {waiting:,.0f} s"
            self.watch.progress(
                {"stage": tally.stage, "done": tally.done, "total": tally.total, "failed": tally.failed}
                | {"message": message, "waiting": round(waiting, 1)}
                | self.meter.figures()
            )

        tick()
        try:
            drive(whole(), self.watch, tick)
        finally:
            tick()


@contextmanager
def session(project: Project, settings: Settings, environment: Mapping[str, str], watch: Watch) -> Iterator[Session]:
    """A session with the server that settings and environment name.

    Raises ShoeboxError where the user has not agreed to it, or there is no key; UsageError for a bound on money where
    no price is known.
    """
    server = server_of(settings, environment)
    with project.database() as db:
        consent.require(db, server)
        meter = Meter(
            db,
            server.model,
            price_of(server.model, settings),
            max_calls=settings.max_calls,
            max_cost=settings.max_cost,
            since=watch.since,
        )
        pictures = Pictures(project, db, settings)
        try:
            yield Session(project, db, settings, server, meter, pictures, watch)
        finally:
            pictures.close()
