"""Embeds what of a project has no embedding yet: reads the project, runs the pipeline, commits, reports."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import psutil

from core.catalog import clusterings, encoders, images, sources
from core.clustering.live import LiveClusters
from core.embedding.commit import Committer
from core.embedding.contents import Contents
from core.embedding.figures import MachineFigures
from core.embedding.pipeline import Encoded, Outcome, Pipeline
from core.embedding.progress import EmbedProgress, RateMeter
from core.embedding.reading import Failed, Known, Reader
from core.imaging.gate import MemoryGate

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.catalog.images import Image
    from core.encoders.encoder import Encoder
    from core.project import Project
    from core.settings import Settings

log = logging.getLogger("shoebox.embedding")
TICK_SECONDS = 0.1
PUBLISH_SECONDS = 0.5
"""Between two snapshots of the live clusters: a screen looks no more often."""
PAGE = 1000
"""Pictures asked of the catalog at a time."""
KNOWN_AT_ONCE = 50_000
"""Vectors of an earlier run given to the live clusters at a time: all of them would be a gigabyte."""
SHOWN = 24
"""Recent pictures and failures that progress names."""
DECODING_SHARE = 4
"""Decoding may hold one part in so many of the machine's free memory."""


def embed(
    project: Project,
    models: Sequence[Encoder],
    record: EncoderRecord,
    settings: Settings,
    *,
    live: bool,
    without: frozenset[int] = frozenset(),
    report: Callable[[EmbedProgress], None],
    checkpoint: Callable[[], None],
    arrivals: Arrivals | None = None,
) -> EmbedProgress:
    """Embeds every picture that lacks an embedding of this encoder; gives the last progress.

    With `arrivals`, pictures come in meanwhile (they are downloaded): it goes on until no more do.
    `models` are copies of one encoder, one a device. `checkpoint` is called between two batches: it may block
    (a pause) or raise (a cancel). A batch that was committed stays, whatever happens next. Pictures of the sources
    `without`, by id, are left alone. Where vectors were lost (the file is gone or cut short) they are made again.
    """
    # Reading pages is done by whichever thread of the pipeline needs the next picture, one at a time.
    with project.database() as db, project.database(shared=True) as reading:
        record = _as_on_disk(project, db, record)
        run = _Run(project, db, models, record, settings, live=live, without=without, arrivals=arrivals)
        try:
            run.start(_pictures(reading, record.id, without, run.more_may_come))
            while run.take(TICK_SECONDS):
                report(run.progress)
                checkpoint()
        finally:
            run.stop()
        report(run.progress)
        return run.progress


class Arrivals(Protocol):
    """Pictures that come into the catalog while others are embedded."""

    def number(self) -> int:
        """How many have come so far."""

    def over(self) -> bool:
        """Whether no more will come."""


class _Run:
    """One run: the pipeline, what commits its outcomes, and what is told of them."""

    def __init__(
        self,
        project: Project,
        db: Database,
        models: Sequence[Encoder],
        record: EncoderRecord,
        settings: Settings,
        *,
        live: bool,
        without: frozenset[int],
        arrivals: Arrivals | None,
    ) -> None:
        self._db = db
        self._arrivals = arrivals
        self._stopping = threading.Event()
        self._models = models
        self._record = record
        self._settings = settings
        self._contents = Contents(encoders.known_hashes(db, record.id))
        self._thumbnails = project.thumbnails(settings)
        self._committer = Committer(db, project.vector_file(record), self._thumbnails, record, self._contents)
        self._roots = {source.id: project.root_of(source) for source in sources.all_sources(db)}
        self._live = _live_clusters(project, db, record, settings) if live else None
        self._figures = MachineFigures(models)
        self._meter = RateMeter()
        self._began = time.monotonic()
        self._recent: deque[int] = deque(maxlen=SHOWN)
        self._failures: deque[tuple[int, str]] = deque(maxlen=SHOWN)
        self._published = 0.0
        # What comes between the two lines is counted by one of them, or for a moment by neither.
        self._base = images.count_to_embed(db, record.id, without=without)
        self._before = arrivals.number() if arrivals else 0
        self._pipeline: Pipeline | None = None
        self.progress = EmbedProgress(
            encoder=record.label,
            precision=models[0].precision,
            total=self._base,
            unchanged=images.count_embedded(db, record.id),
        )

    def start(self, pictures: Iterator[Image]) -> None:
        reader = Reader(
            self._roots,
            self._models[0].preprocessing,
            self._contents,
            self._settings,
            MemoryGate(psutil.virtual_memory().available // DECODING_SHARE),
        )
        self._pipeline = Pipeline(
            pictures,
            reader,
            self._models,
            batch_size=self._settings.batch_size or self._models[0].batch_size_hint,
            decode_threads=self._settings.decode_threads,
        )
        self._pipeline.start()

    def more_may_come(self) -> bool:
        """Whether to wait for another picture."""
        return self._arrivals is not None and not self._stopping.is_set() and not self._arrivals.over()

    def take(self, timeout: float) -> bool:
        """Commits what has come out of the pipeline, and brings the progress up to it; False at the end."""
        assert self._pipeline is not None
        outcomes = self._pipeline.outcomes(timeout)
        self._update(self._pipeline)
        if outcomes is None:
            return False
        for outcome in outcomes:
            if isinstance(outcome, Encoded):
                self._commit(outcome)
        self._commit_small(outcomes)
        return True

    def stop(self) -> None:
        self._stopping.set()
        if self._pipeline is not None:
            self._pipeline.stop()
        if self._live is not None:
            self._live.finish()
            self._publish(self._live)
        self._thumbnails.close()

    def _commit(self, batch: Encoded) -> None:
        image_ids, twins = self._committer.encoded(batch)
        self.progress.done += len(image_ids) + twins
        self.progress.reused += twins
        self._recent.extendleft(image_ids)
        if self._live is None:
            return
        due = self._live.add(image_ids, batch.vectors)
        if due and time.monotonic() - self._published >= PUBLISH_SECONDS:
            self._publish(self._live)

    def _commit_small(self, outcomes: list[Outcome]) -> None:
        known = [o for o in outcomes if isinstance(o, Known)]
        failed = [o for o in outcomes if isinstance(o, Failed)]
        if known:
            self._committer.known(known)
            self.progress.done += len(known)
            self.progress.reused += len(known)
        if failed:
            self._committer.failed(failed)
            for failure in failed:
                self.progress.failed += len(failure.image_ids)
                self._failures.extendleft((i, failure.reason) for i in failure.image_ids)

    def _publish(self, live: LiveClusters) -> None:
        clusterings.publish_live(self._db, self._record.id, dataclasses.asdict(live.snapshot()))
        self._published = time.monotonic()

    def _update(self, pipeline: Pipeline) -> None:
        self._figures.sample()
        seen = self.progress.done + self.progress.failed
        if self._arrivals is not None:
            self.progress.total = max(self._base + self._arrivals.number() - self._before, seen)
        rate = self._meter.update(seen)
        self.progress.images_per_second = rate
        self.progress.seconds = time.monotonic() - self._began
        self.progress.eta_seconds = (self.progress.total - seen) / rate if rate > 0 else None
        self.progress.batch_size = pipeline.batch_size
        starved = self._arrivals is not None and not self._arrivals.over() and seen >= self.progress.total
        self.progress.bottleneck = "downloads" if starved else pipeline.bottleneck
        self.progress.devices = self._figures.devices
        self.progress.cpu = self._figures.cpu
        self.progress.recent = list(self._recent)
        self.progress.failures = list(self._failures)


def _as_on_disk(project: Project, db: Database, record: EncoderRecord) -> EncoderRecord:
    """The record, once it counts no more vectors than there are."""
    there = project.vector_file(record).whole_rows()
    if there >= record.rows:
        return record
    log.warning("%d of %d vectors of %s are lost: they are made again", record.rows - there, record.rows, record.label)
    encoders.forget_rows(db, record.id, kept=there)
    return encoders.get(db, record.id)


def _pictures(
    db: Database, encoder_id: int, without: frozenset[int], more_may_come: Callable[[], bool]
) -> Iterator[Image]:
    """What is to be embedded, a page at a time: the catalog changes while this goes on."""
    last = 0
    while True:
        wait = more_may_come()  # asked before the page: what came until the end is on the last one
        page = images.to_embed(db, encoder_id, after=last, limit=PAGE)
        if page:
            yield from (image for image in page if image.source not in without)
            last = page[-1].id
        elif not wait:
            return
        else:
            time.sleep(TICK_SECONDS)


def _live_clusters(project: Project, db: Database, record: EncoderRecord, settings: Settings) -> LiveClusters:
    """Live clusters that know already what was embedded before: a run that goes on does not begin anew."""
    live = LiveClusters(clusters=settings.live_clusters, refresh=settings.live_refresh, seed=settings.seed)
    image_ids, rows = encoders.embedded_images(db, record.id)
    vectors = project.vector_file(record).read(record.rows)
    for start in range(0, len(image_ids), KNOWN_AT_ONCE):
        part = slice(start, start + KNOWN_AT_ONCE)
        live.add(image_ids[part], vectors[rows[part]])
    return live
