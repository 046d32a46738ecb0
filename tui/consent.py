"""Before a language model is asked: what it will take, what leaves the machine, and whether the user agrees."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from core.catalog import clusterings
from core.errors import CancelledError, ShoeboxError
from core.naming.language import consent
from core.naming.language.server import server_of
from tui import options

if TYPE_CHECKING:
    from core.naming.language.server import Server
    from core.project import Project
    from core.settings import Settings


def check(
    project: Project, settings: Settings, environment: Mapping[str, str], *, given: Mapping[str, Any], yes: bool
) -> None:
    """Before any work: raises what is wrong with the server or the key, and where nobody could be asked later on."""
    server = server_of(settings, environment)
    with project.database() as db:
        if not consent.is_given(db, server):
            _require_an_answer(server, users=consent.is_users_choice(server, given), yes=yes)


def prepare(
    project: Project,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    stage: Literal["label", "name"],
    numbers: Sequence[int] | None,
    given: Mapping[str, Any],
    yes: bool,
    again: bool = False,
    hints: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Tells the estimate, sees to consent, and gives it as data.

    Consent is asked for once per project and server; `yes` answers, but not for a server that only files of the
    folder name: the user names it (`given`, what the command line says) or answers. Raises ShoeboxError where nobody
    can be asked, CancelledError where the user declines, and what is wrong with the server's address, the key or the
    numbers.
    """
    from core.naming.language.estimate import estimate

    server = server_of(settings, environment)
    with project.database() as db:
        run = clusterings.latest(db)
        if run is None:
            raise ShoeboxError("nothing is clustered yet", "shoebox cluster does that")
        expected = estimate(project, run, settings, environment, stage=stage, numbers=numbers, again=again, hints=hints)
        options.error(expected.said())
        if not consent.is_given(db, server):
            users = consent.is_users_choice(server, given)
            _require_an_answer(server, users=users, yes=yes)
            _ask(server, users=users, yes=yes)
            consent.give(db, server, key=users)
    return expected.as_dict()


def _require_an_answer(server: Server, *, users: bool, yes: bool) -> None:
    if (yes and users) or (not yes and sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not users:
        raise ShoeboxError(
            consent.not_users_choice(server),
            f"--base-url {server.url} says that you trust it; without --yes, a terminal asks you",
        )
    raise ShoeboxError(
        f"nobody agreed yet that pictures of this project go to {server.where}, and there is no terminal to ask in",
        "run the same with --yes to agree, or use --namer vocabulary, which sends nothing",
    )


def _ask(server: Server, *, users: bool, yes: bool) -> None:
    options.error(consent.what_leaves(server))
    if yes:
        return
    if not users:
        options.error(f"Mind: {consent.not_users_choice(server)}.")
    import click

    what = "them and your key" if server.key else "them"
    if not click.confirm(f"Send {what} to {server.where}? (asked once for this project)", err=True):
        raise CancelledError("nothing was sent", "shoebox name --namer vocabulary sends nothing")
