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
        sys.exit(error.exit_code)
    except ShoeboxError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _complain("cancelled")
        sys.exit(130)
    except BrokenPipeError:
        sys.stdout = None  # who read our output has left: nothing to flush into
        sys.exit(0)
    except Exception as error:
        from tui.crash import log_crash

        _complain(f"shoebox failed unexpectedly ({type(error).__name__}: {error}): see {log_crash()}")
        sys.exit(1)


def _complain(text: str) -> None:
    print(f"shoebox: {' '.join(text.split())}", file=sys.stderr)


if __name__ == "__main__":
    main()
