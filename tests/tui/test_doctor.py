"""What doctor says of a terminal, and what it tells to do."""

from tui import doctor
from tui.graphics.terminal import Terminal


def said(terminal, **environment):
    return doctor.text(doctor.examine(terminal, environment))


def test_a_good_terminal_needs_nothing():
    terminal = Terminal("kitty", (9, 20), truecolor=True, name="kitty(0.41.1)", why=("it answered",))
    text = said(terminal, OPENAI_API_KEY="secret-value")
    assert "✓ graphics" in text
    assert "9x20 pixels" in text
    assert "it answered" in text
    assert "secret-value" not in text


def test_what_would_be_better_comes_with_what_to_do():
    text = said(Terminal("sixel", registers=16, multiplexer="tmux"), SLURM_JOB_ID="7")
    assert "numColorRegisters" in text
    assert "allow-passthrough on" in text
    assert "COLORTERM=truecolor" in text
    assert "Slurm" in text


def test_the_document_is_plain_data():
    import json

    terminal = Terminal("halfcell", typed=b"\xff")
    document = doctor.document(terminal, doctor.examine(terminal, {}))
    assert json.loads(json.dumps(document))["terminal"]["graphics"] == "halfcell"
    assert {f["subject"] for f in document["findings"]} >= {"terminal", "graphics", "colours", "device", "key"}


def test_no_colour_is_said():
    assert "unset NO_COLOR" in said(Terminal("halfcell", truecolor=True), NO_COLOR="1")
