"""Names: a cluster's contact sheet, its labels and its neighbours' names go in, a name comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.catalog import replies
from core.catalog.names import Proposed
from core.naming.language import reading
from core.naming.language.outcomes import OverflowedError, UnansweredError
from core.naming.language.pictures import SHEET_SIDE, SMALL_SHEET_SIDE
from core.naming.language.questions import NAME_TOKENS, Question, Shown, digest
from core.naming.language.reading import MOST_SENTENCE, tidy
from core.naming.language.watch import Tally, each

if TYPE_CHECKING:
    from core.naming.language.asking import Asker
    from core.naming.language.prompts import Prompt
    from core.naming.language.sampling import Sampled
    from core.naming.language.session import Session

_SMALLER = ((None, SHEET_SIDE), (12, SMALL_SHEET_SIDE), (5, SMALL_SHEET_SIDE), (5, 0))
"""(labels, side of a picture on the sheet) that a model with a small context is given, one after the other."""
NEIGHBOUR_LABELS = 3
Heard = Callable[[Proposed], None]
"""Is given a proposal the moment it comes."""


@dataclass(frozen=True)
class Known:
    """What names are made from: labels by cluster number, what clusters are called, and the user's hints."""

    labels: Mapping[int, Sequence[str]]
    names: Mapping[int, str]
    hints: Mapping[int, str] = field(default_factory=dict)
    vision: bool = True


def name_key_of(model: str, cluster: Sampled, known: Known, prompt: Prompt) -> str:
    """The question about a cluster, in short. What the neighbours are called changes while naming: it is left out."""
    sheet = [s.content.hex() for s in cluster.sheet] if known.vision else []
    labels = list(known.labels.get(cluster.number, ()))
    return digest("name", prompt.version, model, sheet, labels, known.hints.get(cluster.number, ""))


def ask_names(
    session: Session,
    clusters: Sequence[Sampled],
    known: Known,
    prompt: Prompt,
    found: dict[int, Proposed],
    *,
    again: bool,
    heard: Heard,
) -> Tally:
    """Proposes a name for every cluster, as far as the budget goes, and puts it into `found` as it comes.

    What was asked for just now goes to `heard`, too.

    A cluster without a name has its reason. `again`: not what was answered before. Raises NoVisionError where pictures
    are shown to a model that takes none, ServerError where it is no use to go on.
    """
    missing: list[Sampled] = []
    for cluster in clusters:
        answer = None if again else replies.reply(session.db, name_key_of(session.server.model, cluster, known, prompt))
        if answer is None:
            missing.append(cluster)
        else:
            found[cluster.number] = _proposed(session, cluster, answer, prompt)
    tally = Tally("names", len(clusters), done=len(clusters) - len(missing))
    tally.failed = sum(p.name is None for p in found.values())
    if not missing:
        return tally

    async def work(asker: Asker) -> None:
        async def one(cluster: Sampled) -> None:
            answer, keep = await _asked(session, asker, cluster, known, prompt)
            if keep:
                key = name_key_of(session.server.model, cluster, known, prompt)
                replies.put_reply(
                    session.db, key, answer, kind="name", model=session.server.model, prompt=prompt.version
                )
            found[cluster.number] = _proposed(session, cluster, answer, prompt)
            tally.failed += found[cluster.number].name is None
            tally.done += 1
            heard(found[cluster.number])

        await each(missing, one, at_once=session.settings.calls_at_once, tally=tally, watch=session.watch)

    session.run(work, tally)
    return tally


async def _asked(
    session: Session, asker: Asker, cluster: Sampled, known: Known, prompt: Prompt
) -> tuple[dict[str, Any], bool]:
    """The answer, as it is kept: {name, alternatives, description} or {reason}; and whether to keep it."""
    for labels, side in _SMALLER:
        sheet = session.pictures.sheet(cluster.sheet, side) if side and known.vision else b""
        data = _data(cluster, known, labels)
        if not sheet and not data["labels"]:
            return {"reason": "there is nothing to name it from: no picture can be shown and none has a label"}, False
        question = Question(prompt, NAME_TOKENS, data, Shown(sheet, is_sheet=True) if sheet else None)
        try:
            return await asker.ask(question, reading.named_of), True
        except OverflowedError:
            session.tell(
                f"{session.server.model} takes only short questions: some clusters were named from fewer labels and a"
                " smaller sheet"
            )
        except UnansweredError as error:
            return {"reason": str(error)}, error.final
    return {"reason": "the question is too long for the model, however short"}, True


def _data(cluster: Sampled, known: Known, most_labels: int | None) -> dict[str, Any]:
    labels = list(known.labels.get(cluster.number, ()))
    others: list[dict[str, Any]] = []
    for number in cluster.neighbours:
        if name := known.names.get(number):
            others.append({"name": tidy(name)[:MOST_SENTENCE]})
        elif shows := list(known.labels.get(number, ()))[:NEIGHBOUR_LABELS]:
            others.append({"shows": shows})
    data: dict[str, Any] = {
        "pictures_in_group": cluster.cluster.size,
        "labels": labels[:most_labels],
        "other_groups": others,
    }
    if hint := tidy(known.hints.get(cluster.number, "")):
        data["hint_of_the_owner"] = hint[:MOST_SENTENCE]
    return data


def _proposed(session: Session, cluster: Sampled, answer: Mapping[str, Any], prompt: Prompt) -> Proposed:
    return Proposed(
        cluster=cluster.number,
        name=answer.get("name"),
        alternatives=tuple(answer.get("alternatives", ())),
        description=answer.get("description"),
        reason=answer.get("reason"),
        shown=cluster.shown,
        model=session.server.model,
        prompt=prompt.version,
    )
