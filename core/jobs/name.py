"""The jobs `name` and `measure`: names for the clusters of the last run, and how well they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.catalog import clusterings, encoders, names
from core.catalog.clusterings import ClusteringRecord
from core.catalog.encoders import EncoderRecord
from core.encoders.spec import parse_spec
from core.errors import CancelledError, ShoeboxError, UsageError
from core.jobs.context import JobContext
from core.jobs.embed import recorded_encoder
from core.naming.words import POCKET, load_vocabulary

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.encoders.encoder import Encoder
    from core.naming.texts import Texts

WORDS_OF_A_CLUSTER = 12
"""Given to a language model that takes no pictures."""


def name_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Names clusters by `params["naming"]`; gives the run's id, counts, overall quality, and what is to be told.

    It has `namer` (vocabulary or openai), `vocabulary` (see `load_vocabulary`), `clusters` (numbers, or None for all
    whose name is not the user's), `hints` (by cluster number, what the user says about it), and `again`: asks anew
    where an answer is known; of a vocabulary, the next best words.
    """
    with _Naming.of(context) as naming:
        return naming.name(params["naming"])


def measure_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Measures the names of the last run, those that the user typed among them; gives overall quality."""
    with _Naming.of(context, load=False) as naming:
        naming.measure()
        return naming.summary() | {"told": naming.unmeasured()}


def name_pictures(context: JobContext, asked: dict[str, Any]) -> dict[str, Any]:
    """Names what was just clustered, as a stage of several: by a vocabulary, it says why where it cannot."""
    with context.project.database() as db:
        _latest(db)  # what was never clustered is an error here too
    try:
        with _Naming.of(context) as naming:
            return naming.name(asked)
    except (CancelledError, UsageError):
        raise
    except ShoeboxError as error:
        if asked.get("namer") == "openai":
            raise
        return {"told": [f"the clusters have no names: {error}"]}


def measure_known(context: JobContext) -> None:
    """Measures what names a new run took over, as far as it can be done without loading the encoder."""
    from core.naming.measure import measure_names
    from core.naming.texts import Texts

    with context.project.database() as db:
        run = _latest(db)
        record = encoders.get(db, run.encoder)
        with Texts(record.fingerprint, pocket=_is_pocket(record)) as texts:
            measure_names(context.project, db, run.id, record, texts, seed=context.settings.seed)


@dataclass
class _Naming:
    """One job's connection to what naming needs."""

    context: JobContext
    db: Database
    run: ClusteringRecord
    record: EncoderRecord
    texts: Texts
    on_cpu: bool

    @classmethod
    def of(cls, context: JobContext, *, load: bool = True) -> _Naming:
        """Without `load` the encoder is left alone where every name in force was encoded before."""
        from core.naming.texts import Texts

        db = context.project.database()
        try:
            run = _latest(db)
            record = _encoder_of(context, db, run)
            pocket = _is_pocket(record)
            texts = Texts(record.fingerprint, pocket=pocket)
            on_cpu = True
            if load or not _all_known(db, run, texts):
                texts.close()
                encoder = _loaded(context, record)
                on_cpu = encoder.device.type == "cpu"
                texts = Texts(record.fingerprint, encoder, pocket=pocket)
        except BaseException:
            db.close()
            raise
        return cls(context, db, run, record, texts, on_cpu)

    def __enter__(self) -> _Naming:
        return self

    def __exit__(self, *_: object) -> None:
        self.texts.close()
        self.db.close()

    def name(self, asked: dict[str, Any]) -> dict[str, Any]:
        namer = asked.get("namer", "vocabulary")
        if namer == "openai":
            return self._by_language_model(asked)
        if namer != "vocabulary":
            raise UsageError(f"there is no namer called {namer}", f"there are {' and '.join(names.NAMERS)}")
        from core.naming.run import name_by_vocabulary

        if not self.texts.can_encode:
            raise ShoeboxError(
                f"{self.record.label} knows pictures alone, no words",
                "name them by --namer openai, or embed with an encoder that has text: `shoebox encoders` says which",
            )
        vocabulary = self._vocabulary(asked)
        result = name_by_vocabulary(
            self.context.project,
            self.db,
            self.run.id,
            self.record,
            self.texts,
            vocabulary,
            numbers=asked.get("clusters"),
            again=bool(asked.get("again")),
            seed=self.context.settings.seed,
            tick=self._tick,
        )
        told = _no_word_left(result.vocabulary, result.wordless)
        return self.summary() | {"namer": namer, "vocabulary": result.vocabulary, "told": told}

    def measure(self) -> None:
        """Measures all names, as far as the encoder can read them."""
        from core.naming.measure import measure_names

        measure_names(
            self.context.project,
            self.db,
            self.run.id,
            self.record,
            self.texts,
            seed=self.context.settings.seed,
            tick=self._tick,
        )

    def unmeasured(self) -> list[str]:
        """What is said where names have no quality."""
        if self.texts.can_encode or names.is_measured(self.db, self.run.id):
            return []
        return [f"the names are not measured: {self.record.label} knows pictures alone, no words"]

    def summary(self) -> dict[str, Any]:
        """The names as a whole."""
        found = names.overall(names.names_of(self.db, self.run.id))
        return {
            "clustering": self.run.id,
            "clusters": found.clusters,
            "named": found.named,
            "states": found.states,
            "twins": found.twins,
            "quality": found.quality,
            "auroc": found.auroc,
            "first": found.first,
            "told": [],
        }

    def _by_language_model(self, asked: dict[str, Any]) -> dict[str, Any]:
        from core.jobs.label import watch_of
        from core.jobs.recording import Recorder
        from core.naming.language.run import propose_names
        from core.naming.language.server import DEFAULT_MODEL
        from core.naming.run import choose

        context = self.context
        numbers = [n.number for n in choose(names.names_of(self.db, self.run.id), asked.get("clusters"))]
        if not numbers:
            return self.summary() | {"namer": "openai", "told": ["every name is yours already: nothing was asked"]}
        recorder = Recorder(
            context.project,
            self.db,
            self.run.id,
            self.record,
            self.texts,
            said=f"named clusters by {context.settings.model or DEFAULT_MODEL}",
            seed=context.settings.seed,
            checkpoint=context.checkpoint,
        )
        watch = watch_of(context)

        def progress(data: dict[str, Any]) -> None:
            watch.progress(data)
            recorder.look()

        try:
            result = propose_names(
                context.project,
                self.run,
                context.settings,
                context.environment,
                words=lambda wanted: self._words(asked, wanted),
                twins=self._twins,
                numbers=numbers,
                hints={int(number): hint for number, hint in (asked.get("hints") or {}).items()},
                again=bool(asked.get("again")),
                watch=replace(watch, progress=progress),
                heard=recorder.take,
            )
        finally:
            recorder.keep()  # also of a run that is stopped
        recorder.finish(result.proposals)
        self.measure()
        if result.error is not None:
            raise result.error
        summary = self.summary() | result.as_dict() | {"namer": "openai"}
        summary["told"] += self.unmeasured()
        return summary

    def _words(self, asked: dict[str, Any], numbers: Sequence[int]) -> Mapping[int, Sequence[str]]:
        from core.naming.run import best_words

        if not self.texts.can_encode:
            return {}
        return best_words(
            self.context.project,
            self.db,
            self.run.id,
            self.record,
            self.texts,
            self._vocabulary(asked),
            numbers,
            WORDS_OF_A_CLUSTER,
            seed=self.context.settings.seed,
            tick=self._tick,
        )

    def _twins(self, called: Mapping[int, str]) -> Sequence[Sequence[int]]:
        from core.naming.measure import twins_among
        from core.naming.twins import same_spelling

        pairs = list(called.items())
        if self.texts.can_encode:
            return twins_among(self.texts, pairs, self._tick)
        return [[pairs[place][0] for place in group] for group in same_spelling([name for _, name in pairs])]

    def _vocabulary(self, asked: dict[str, Any]) -> Any:
        source = asked.get("vocabulary") or "auto"
        return load_vocabulary(source, pocket=_is_pocket(self.record), on_cpu=self.on_cpu)

    def _tick(self, words: str, share: float) -> None:
        self.context.checkpoint()
        self.context.progress({"stage": "naming", "message": words, "share": share})


def _no_word_left(vocabulary: str, clusters: Sequence[int]) -> list[str]:
    """What is said of clusters that a vocabulary has no word for; names that they have they keep."""
    if not clusters:
        return []
    some = ", ".join(map(str, clusters[:10])) + (" and others" if len(clusters) > 10 else "")
    return [f"the vocabulary {vocabulary} has no word left for cluster{'s' if len(clusters) > 1 else ''} {some}"]


def _latest(db: Database) -> ClusteringRecord:
    run = clusterings.latest(db)
    if run is None:
        raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that")
    return run


def _encoder_of(context: JobContext, db: Database, run: ClusteringRecord) -> EncoderRecord:
    """The encoder whose texts name the clusters: the one that the settings name, else that of the run."""
    if context.settings.encoder or context.settings.weights:
        record = recorded_encoder(context.project, context.settings)
        if record is not None and record.rows:
            return record
    return encoders.get(db, run.encoder)


def _loaded(context: JobContext, record: EncoderRecord) -> Encoder:
    """The encoder of a record. Raises ShoeboxError where its weights are others by now."""
    spec = parse_spec(record.spec, **record.options)
    context.say("loading", f"loading {spec.label}")
    encoder = context.encoders(spec, words=True)[0]
    if encoder.fingerprint != record.fingerprint:
        raise ShoeboxError(
            f"the weights of {record.label} are not those that the pictures were embedded with",
            "shoebox embed and shoebox cluster bring them up to date",
        )
    return encoder


def _all_known(db: Database, run: ClusteringRecord, texts: Texts) -> bool:
    wanted = [n.name for n in names.names_of(db, run.id) if n.name]
    return len(texts.known(wanted)) == len(wanted) and texts.knows_background()


def _is_pocket(record: EncoderRecord) -> bool:
    return record.spec == POCKET
