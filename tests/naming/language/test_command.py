"""`shoebox label` as a user meets it."""

from core.catalog import meta
from core.naming.language.server import Server
from core.settings import FILE_NAME, user_file
from tests.naming.language.conftest import KEY, disagree


def label(shoebox, talk, *more, **variables):
    folder = talk.project.directory.parent
    options = ("--base-url", talk.server.url, "--model", "seer", "--per-cluster", "2")
    return shoebox("label", folder, *options, *more, env={"OPENAI_API_KEY": KEY} | variables)


def test_it_says_what_it_takes_and_what_leaves_and_is_agreed_to_once(shoebox, talk, server, home):
    disagree(home)
    refused = label(shoebox, talk)
    assert refused.code == 1
    assert "--yes to agree" in refused.err
    assert server.calls == 0
    agreed = label(shoebox, talk, "--yes")
    assert agreed.code == 0, agreed.err
    assert "about 8 calls for 4 clusters" in agreed.err
    assert "price not known" in agreed.err
    assert "no file names, no metadata" in agreed.err
    assert "8 pictures with a label; 8 calls, 800 tokens in, 80 out" in agreed.out
    again = label(shoebox, talk, "--json")
    assert again.code == 0, again.err
    assert (again.json["labelled"], again.json["calls"]) == (8, 0)
    assert "nothing is asked" in again.err
    assert server.calls == 8


def test_bounds_and_prices_are_said(shoebox, talk, server):
    stopped = label(shoebox, talk, "--max-calls", "3", "--price-in", "1", "--price-out", "2")
    assert stopped.code == 0, stopped.err
    assert "at the price you gave" in stopped.err
    assert "3 pictures with a label, 5 without one; 3 calls, 300 tokens in, 30 out, $0.0004" in stopped.out
    assert "stopped: --max-calls 3 are made" in stopped.out
    assert server.calls == 3


def test_what_is_wrong_is_one_line(shoebox, talk, server):
    folder = talk.project.directory.parent
    without = shoebox("label", folder, "--json")
    assert without.code == 1
    assert "OPENAI_API_KEY is not set" in without.json["error"]
    server.behaviour.habits = {"no_model"}
    unknown = label(shoebox, talk)
    assert unknown.code == 1
    assert "knows no model seer" in unknown.err
    assert KEY not in unknown.err
    assert label(shoebox, talk, "--max-cost", "1").code == 2
    assert label(shoebox, talk, "--clusters", "x").code == 2


def test_a_server_that_only_the_folder_names_gets_neither_pictures_nor_the_key_unless_the_user_agrees(
    shoebox, talk, server, home
):
    """A pile that came from others brings their `.env`, their `settings.toml`, and their word that all is agreed."""
    disagree(home)
    folder = talk.project.directory.parent
    with talk.project.database() as db:
        meta.put(db, f"consent {Server(server.url, 'seer').id}", "agreed")
    own_words = folder / ".env", f"OPENAI_BASE_URL={server.url}\n"
    own_settings = talk.project.directory / FILE_NAME, f'base_url = "{server.url}"\n'
    for (file, text), *command in (
        (own_words, "label"),
        (own_settings, "name", "--namer", "openai"),
        (own_words, "run", "--namer", "openai", "--stages", "name"),
    ):
        file.write_text(text)
        refused = shoebox(*command, folder, "--yes", env={"OPENAI_API_KEY": KEY})
        file.unlink()
        assert refused.code == 1, refused.err
        assert f"{server.url} is named by files of this folder" in refused.err
        assert f"--base-url {server.url} says that you trust it" in refused.err
    assert server.calls == 0
    named = label(shoebox, talk, "--yes")
    assert named.code == 0, named.err
    assert "Your key (OPENAI_API_KEY) is shown to it" in named.err
    assert server.calls == 8


def test_a_users_own_files_name_a_server_as_they_do(shoebox, talk, server, home):
    disagree(home)
    user_file().parent.mkdir(parents=True)
    user_file().write_text(f'base_url = "{server.url}"\nmodel = "seer"\nper_cluster = 1\n')
    done = shoebox("label", talk.project.directory.parent, "--yes", env={"OPENAI_API_KEY": KEY})
    assert done.code == 0, done.err
    assert server.calls == 4
