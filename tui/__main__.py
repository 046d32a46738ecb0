"""The `shoebox` command. Imports little, so that `--help` and the first frame come at once."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Runs the command line and turns what goes wrong into one line and an exit code."""
    import click

    from core.errors import ShoeboxError
    from tui.cli import shoebox

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may have bytes that are no text
            stream.reconfigure(errors="backslashreplace")
    try:
        status = shoebox.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        _print_document(error.format_message(), error.exit_code)
        sys.exit(error.exit_code)
    except ShoeboxError as error:
        _complain(str(error), error.exit_code)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _complain("cancelled", 130)
        sys.exit(130)
    except BrokenPipeError:
        sys.stdout = None  # who read our output has left: nothing to flush into
        sys.exit(0)
    except Exception as error:
        from tui.crash import log_crash

        _complain(f"shoebox failed unexpectedly ({type(error).__name__}: {error}): see {log_crash()}", 1)
        sys.exit(1)


def _complain(text: str, exit_code: int) -> None:
    text = " ".join(text.split())
    print(f"shoebox: {text}", file=sys.stderr)
    _print_document(text, exit_code)


def _print_document(text: str, exit_code: int) -> None:
    """With --json the answer is one JSON document, whatever it is."""
    if "--json" in sys.argv[1:]:
        import json

        print(json.dumps({"error": text, "exit_code": exit_code}, ensure_ascii=False))


if __name__ == "__main__":
    main()
