"""Names that mean the same: each group of them is asked about once, for names that differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from core.catalog import replies
from core.catalog.names import Proposed
from core.naming.language import reading
from core.naming.language.outcomes import OverflowedError, UnansweredError
from core.naming.language.questions import TWIN_TOKENS, Question, digest
from core.naming.language.watch import Tally, each

if TYPE_CHECKING:
    from core.naming.language.asking import Asker
    from core.naming.language.names import Known
    from core.naming.language.prompts import Prompt
    from core.naming.language.session import Session

MOST_IN_A_GROUP = 12
GROUP_LABELS = 8


def tell_apart(
    session: Session,
    proposed: dict[int, Proposed],
    groups: Sequence[Sequence[int]],
    known: Known,
    prompt: Prompt,
) -> Tally:
    """Puts names that differ into `proposed`, where the model finds some; the others stay, twins as they are.

    A group may hold clusters that are not in `proposed`: their names are told, but not changed.
    """
    parts = [
        list(group[start : start + MOST_IN_A_GROUP])
        for group in groups
        for start in range(0, len(group), MOST_IN_A_GROUP)
    ]
    parts = [part for part in parts if len(part) > 1 and any(number in proposed for number in part)]
    tally = Tally("twins", len(parts))
    missing: list[tuple[str, list[int], dict[str, Any]]] = []
    for part in parts:
        data = _data(part, proposed, known)
        key = digest("twins", prompt.version, session.server.model, str(data))
        answer = replies.reply(session.db, key)
        if answer is None:
            missing.append((key, part, data))
        else:
            _rename(proposed, {int(number): name for number, name in answer["names"].items()})
            tally.done += 1
    if not missing:
        return tally

    async def work(asker: Asker) -> None:
        async def one(item: tuple[str, list[int], dict[str, Any]]) -> None:
            key, part, data = item
            question = Question(prompt, TWIN_TOKENS * len(part), data)
            names: Mapping[int, str] = {}
            keep = True
            try:
                names = await asker.ask(question, partial(reading.told_apart_of, numbers=part))
            except OverflowedError:
                tally.failed += 1
            except UnansweredError as error:
                tally.failed += 1
                keep = error.final
            if keep:
                reply = {"names": {str(number): name for number, name in names.items()}}
                replies.put_reply(
                    session.db, key, reply, kind="twins", model=session.server.model, prompt=prompt.version
                )
            _rename(proposed, names)
            tally.done += 1

        await each(missing, one, at_once=session.settings.calls_at_once, tally=tally, watch=session.watch)

    session.run(work, tally)
    return tally


def _data(part: Sequence[int], proposed: Mapping[int, Proposed], known: Known) -> dict[str, Any]:
    groups: list[dict[str, Any]] = []
    for number in sorted(part):
        found = proposed.get(number)
        name = (found.name if found else None) or known.names.get(number, "")
        group: dict[str, Any] = {"number": number, "name": name}
        if found is None:
            group["keeps_its_name"] = True
        else:
            group |= {"other_names": list(found.alternatives), "sentence": found.description or ""}
        groups.append(group | {"labels": list(known.labels.get(number, ()))[:GROUP_LABELS]})
    return {"groups": groups}


def _rename(proposed: dict[int, Proposed], names: Mapping[int, str]) -> None:
    for number, name in names.items():
        found = proposed.get(number)
        if found is None or found.name is None or name == found.name:
            continue
        others = tuple(other for other in found.alternatives if other.casefold() != name.casefold())
        proposed[number] = dataclasses.replace(found, name=name, alternatives=others)
