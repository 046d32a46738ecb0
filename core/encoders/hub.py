"""Files of the Hugging Face hub: from its cache where they lie there, else fetched, with progress as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import CancelledError, ShoeboxError

Progress = Callable[[int, int | None], None]
"""Called with the bytes fetched so far and the size of the file, where it is known. May raise to stop."""

_TIMEOUT = 10.0  # seconds to the first answer; a network that drops packets must not hold a run for minutes


def cached(repo: str, names: Sequence[str]) -> Path | None:
    """The first of these files of `repo` that lies in the hub's cache on this machine. Asks no network."""
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        found = try_to_load_from_cache(repo, name)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(repo: str, names: Sequence[str], *, progress: Progress | None = None) -> Path:
    """The first of these files that `repo` has, from the cache if one lies there, else downloaded into it.

    What is cached is used as it is, so that a project's weights do not change under it. Raises ShoeboxError
    within seconds, saying what to do, where there is no network or no such file.
    """
    if found := cached(repo, names):
        return found
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise _missing(repo, names, "HF_HUB_OFFLINE forbids the network")
    for name in names:
        try:
            _ask(repo, name)
            return Path(hf_hub_download(repo, name, etag_timeout=_TIMEOUT, tqdm_class=_bar(progress)))
        except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
            raise _missing(repo, names, "the hub cannot be reached") from error
        except EntryNotFoundError:
            continue
        except (CancelledError, ShoeboxError):
            raise
        except Exception as error:  # the client raises its own, its HTTP library's and the system's
            raise _missing(repo, names, _reason(error)) from error
    raise ShoeboxError(f"{repo} has none of {', '.join(names)}", "choose another encoder: `shoebox encoders`")


def _ask(repo: str, name: str) -> None:
    """One request, without the retries of the download, so that a missing network shows at once."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    get_hf_file_metadata(hf_hub_url(repo, name), timeout=_TIMEOUT)


def _reason(error: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return "its owner asks you to accept conditions on its page first, and to set HF_TOKEN"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub shows no such repository (a private one needs HF_TOKEN)"
    if isinstance(error, HfHubHTTPError):
        return f"the hub answered {error.response.status_code}"
    if type(error).__name__ in ("ConnectError", "ConnectTimeout", "ConnectionError", "ReadTimeout", "ProxyError"):
        return f"the hub cannot be reached ({type(error).__name__})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the download failed ({type(error).__name__})"


def _missing(repo: str, names: Sequence[str], reason: str) -> ShoeboxError:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    return ShoeboxError(
        f"{names[0]} of {repo} is not on this machine, and {reason}",
        f"on a machine with a network fetch it and bring it here: the folder {folder}, or the file itself for"
        f" --weights FILE (with --model-config FILE); or try the program with --encoder pocket",
    )


def _bar(progress: Progress | None) -> type[Any]:
    """A progress bar class, which is how the client wants to be listened to. It draws nothing."""

    class Bar:
        def __init__(self, *_: Any, total: int | None = None, initial: int = 0, **__: Any) -> None:
            self.total = total
            self.n = initial

        def update(self, n: float | None = 1) -> None:
            self.n += int(n or 0)
            if progress:
                progress(self.n, self.total)

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __getattr__(self, _: str) -> Callable[..., None]:
            return lambda *_, **__: None  # close, refresh, set_description and the rest of a bar's looks

    return Bar
