"""The app as a whole: screens, keys, palette, help, themes, what it remembers."""

import asyncio

import platformdirs
import pytest
from textual.color import Color
from textual.notifications import Notification
from textual.widgets import _toast

from tests.conftest import stop_worker
from tests.test_imports import loaded_by
from tests.tui.driving import Driver, drive
from tui.graphics.terminal import Terminal
from tui.state import user_state
from tui.themes import OURS, load_themes, read_theme

BLACK = Color(0, 0, 0)


def write_settings(text: str) -> None:
    file = platformdirs.user_config_path("shoebox") / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_g_and_a_digit_goes_between_screens_and_a_bare_digit_does_not(project):
    async def script(driver: Driver) -> None:
        assert driver.app.stage == "source"
        await driver.press("2")
        assert driver.app.stage == "source"
        await driver.press("g")
        assert "go to" in driver.text
        await driver.press("2")
        assert driver.app.stage == "embed"
        await driver.press("g", "escape", "1")
        assert driver.app.stage == "embed"

    drive(project, script)


def test_the_first_frame_needs_none_of_the_heavy_libraries():
    modules = "tui.cli, tui.launch, tui.app, tui.screens.source, tui.screens.embed, tui.screens.clusters"
    heavy = {"torch", "sklearn", "PIL", "open_clip", "timm", "scipy", "numpy", "huggingface_hub", "textual_image"}
    assert not loaded_by(f"import {modules}") & heavy


def test_a_click_on_a_stage_or_a_key_does_what_the_key_does(project):
    async def script(driver: Driver) -> None:
        await driver.pilot.click("StageBar", offset=(driver.text.splitlines()[0].index("2 Embed"), 0))
        await driver.until(lambda: driver.app.stage == "embed")
        await driver.pilot.click("KeyLine", offset=(driver.text.splitlines()[-1].index("? help"), 0))
        await driver.shows("app.quit")

    drive(project, script)


def test_help_lists_the_keys_of_the_screen_it_was_asked_on(project):
    async def script(driver: Driver) -> None:
        await driver.press("g", "2", "question_mark")
        assert "embed.pause" in driver.text or "embed.embed" in driver.text
        assert "app.quit" in driver.text
        assert "source.embed" not in driver.text
        await driver.press("escape")
        assert "app.quit" not in driver.text

    drive(project, script)


def test_the_palette_does_what_a_key_does(project):
    async def script(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.press(*"go to embed")
        await driver.shows("Go to Embed")
        await driver.until(lambda: not any(worker.is_running for worker in driver.app.workers))
        await driver.press("enter")
        await driver.until(lambda: driver.app.stage == "embed")

    drive(project, script)


def test_a_key_that_the_settings_change_works_and_is_the_one_that_is_shown(project):
    write_settings('[keys]\n"app.help" = "f1"\n"app.go" = 3\n"no.such" = "x"\n')

    async def script(driver: Driver) -> None:
        assert "f1 help" in driver.text
        assert '"app.go" takes keys as text' in driver.told
        await driver.until(lambda: 'no action "no.such"' in driver.told)
        await driver.press("question_mark")
        assert "app.quit" not in driver.text
        await driver.press("f1")
        assert "app.quit" in driver.text

    drive(project, script, size=(120, 40))


def test_the_time_of_one_g_does_not_end_the_next(project, monkeypatch):
    async def script(driver: Driver) -> None:
        monkeypatch.setattr("tui.app.LEADER_SECONDS", 0.5)
        await driver.press("g", "2")
        monkeypatch.setattr("tui.app.LEADER_SECONDS", 60)
        await driver.press("g")
        await asyncio.sleep(0.7)
        await driver.press("1")
        await driver.until(lambda: driver.app.stage == "source")

    drive(project, script)


def test_a_key_that_another_action_has_and_one_that_no_keyboard_has_are_told_of(project):
    write_settings(
        '[keys]\n"clusters.trash" = "d"\n"clusters.freeze" = "q"\n"clusters.zoom" = "notakey"\n"clusters.sort" = "f9"\n'
    )

    async def script(driver: Driver) -> None:
        assert 'no keyboard has a key "notakey"' in driver.told
        await driver.until(lambda: '"clusters.trash" = "d" is the key of "clusters.split", too' in driver.told)
        assert '"clusters.freeze" = "q" is the key of "app.quit", too' in driver.told
        assert "f9" not in driver.told

    drive(project, script, size=(120, 40))


def test_a_bad_theme_file_is_reported_and_the_good_one_beside_it_serves(project):
    folder = platformdirs.user_config_path("shoebox") / "themes"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("primary = [")
    (folder / "colourless.toml").write_text('primary = "no colour at all"')
    (folder / "strange.toml").write_text('primary = "#102030"\nfont = "Comic Sans"')
    (folder / "mine.toml").write_text('primary = "#ff00ff"')

    async def script(driver: Driver) -> None:
        for name in ("broken.toml", "colourless.toml", "strange.toml"):
            assert name in driver.told
        driver.app.action_theme("mine")
        await driver.pilot.pause()
        assert driver.app.current_theme.primary == "#ff00ff"

    drive(project, script, size=(120, 50))
    again = drive(project, lambda driver: driver.pilot.pause())
    assert again.theme == "mine"


def test_our_themes_are_at_least_four_with_a_light_one_and_one_of_sixteen_colours():
    themes, wrong = load_themes([OURS])
    assert not wrong
    assert len(themes) >= 4
    assert any(not theme.dark for theme in themes.values())
    assert themes["sixteen"].ansi


@pytest.mark.parametrize(
    "text",
    [
        "primary = 3",
        'primary = "#zzz"',
        "dark = true",
        'primary = "red"\ndark = "yes"',
        'primary = "red"\nvariables.border = "x"',
    ],
)
def test_what_is_no_theme_is_refused(tmp_path, text):
    file = tmp_path / "theme.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"\w"):
        read_theme(file)


@pytest.mark.parametrize("theme", sorted(load_themes([OURS])[0]))
def test_every_theme_is_put_on_while_the_app_runs(project, theme):
    async def script(driver: Driver) -> None:
        driver.app.action_theme(theme)
        await driver.pilot.pause()
        assert "1 Source" in driver.text

    drive(project, script)


@pytest.mark.parametrize("theme", ["sixteen", "harbour"])
def test_without_colours_the_text_can_be_told_from_its_background(project, monkeypatch, theme):
    monkeypatch.setenv("NO_COLOR", "1")
    user = user_state()
    user["theme"] = theme
    user.save()

    async def script(driver: Driver) -> None:
        for each in (theme, "paper", "sixteen", "harbour"):
            driver.app.action_theme(each)
            await driver.pilot.pause()
            for line in driver.app.screen._compositor.render_strips():
                for text, style, _ in line.apply_filter(driver.app.get_line_filters()[-1], BLACK):
                    if text.strip() and style and style.color and style.bgcolor and not style.color.is_default:
                        assert style.color != style.bgcolor, text

    drive(project, script, terminal=Terminal("none"))


def test_a_job_can_be_told_of_to_any_callable(project):
    async def script(driver: Driver) -> None:
        added: list[int] = []
        driver.app.submit("export", {"export": {}}, added.append)
        await driver.until(lambda: added)

    drive(project, script)
    stop_worker(project.directory.parent)


def test_help_names_only_keys_that_settings_can_change_and_says_where(project):
    async def script(driver: Driver) -> None:
        for stage in ("source", "embed"):
            driver.app.go(stage)
            await driver.press("question_mark")
            assert all(name for _, rows in driver.screen._sections for _, _, name in rows)
            assert "[keys] in settings.toml changes any by its id" in driver.text
            await driver.press("escape")

    drive(project, script, size=(160, 80))


def test_the_screen_is_the_one_that_was_left(project):
    async def leave_at_embed(driver: Driver) -> None:
        await driver.press("g", "2")

    async def look(driver: Driver) -> None:
        assert driver.app.stage == "embed"

    drive(project, leave_at_embed)
    drive(project, look)


@pytest.mark.parametrize("stage", ["embed", "clusters"])
def test_who_leaves_while_a_screen_comes_up_leaves_in_peace(project, stage):
    async def script(driver: Driver) -> None:
        driver.app.go(stage)
        driver.app.exit()

    drive(project, script)


def test_a_damaged_memory_of_the_screen_begins_anew(project):
    (project.state_dir / "screen.json").write_text("[1, 2")

    async def script(driver: Driver) -> None:
        assert driver.app.stage == "source"

    drive(project, script)


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (200, 60), (40, 12)])
@pytest.mark.parametrize("stage", ["source", "embed"])
def test_every_size_shows_stages_and_keys(project, size, stage):
    async def script(driver: Driver) -> None:
        driver.app.go(stage)
        await driver.until(lambda: driver.app.stage == stage and driver.screen.is_mounted)
        await driver.until(lambda: "? help" in driver.text.splitlines()[-1])
        lines = driver.text.splitlines()
        assert len(lines) == size[1]
        assert "? help" in lines[-1]
        if size[0] >= 80:
            assert "1 Source" in lines[0]
            assert "3 Clusters" in lines[0]
        regions = [w.region for w in driver.app.screen.query(".panel") if w.display and w.region.area]
        for number, one in enumerate(regions):
            for other in regions[number + 1 :]:
                assert not one.overlaps(other) or one.contains_region(other) or other.contains_region(one)

    drive(project, script, size=size)


def test_a_toast_that_comes_too_late_does_not_stop_the_app(project):
    async def script(driver: Driver) -> None:
        late = _toast.Toast(Notification("too late", timeout=-1))
        assert late._timeout > 0, "a timer of less than no time never lets go of the loop"
        await driver.screen.mount(late)
        await driver.until(lambda: not late.is_attached)

    drive(project, script)
