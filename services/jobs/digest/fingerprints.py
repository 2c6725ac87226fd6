"""What errors that are alike have in common: their text without what varies, and a name for it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from nightdesk.logs import cleaned as without_secrets
from nightdesk.logs import redacted
from nightdesk.plain_json import storable

SHOWN_CHARACTERS: Final = 300
"""Of a sample or a template, and the most of a text that tells errors apart."""

_READ_CHARACTERS: Final = 2000
"""Of a text, before its parts are replaced."""

_VARYING: Final = (
    ("<url>", r"""\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>)\]]+"""),
    ("<time>", r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b"),
    ("<time>", r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"),
    ("<id>", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
    ("<text>", r"""\"[^"]*\"|(?<!\w)'[^']*'(?!\w)"""),
    ("<address>", r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b"),
    ("<address>", r"(?<![\w:])\[?(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}\]?(?::\d+)?(?![\w:])"),
    ("<path>", r"(?<![\w/])(?:/[\w.@+-]+){2,}/?"),
    ("<path>", r"""\b[A-Za-z]:\\[^\s"']+"""),
    ("<duration>", r"(?<![\w.])[+-]?\d+(?:\.\d+)?\s?(?:[num\u00b5]?s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?|days?)\b"),
    ("<hex>", r"\b0x[0-9a-fA-F]+\b"),
    ("<hex>", r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}\b|\b(?=[A-F]*\d)(?=\d*[A-F])[0-9A-F]{6,}\b"),
    ("<n>", r"(?<![A-Za-z_<])[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?|(?<=[A-Za-z_-])\d+"),
)  # fmt: skip
"""What varies between errors that are alike, in the order in which it is looked for."""

_ANY: Final = re.compile("|".join(f"({pattern})" for _, pattern in _VARYING))
_NAMES: Final = tuple(name for name, _ in _VARYING)
_SPACE: Final = re.compile(r"\s+")
_FRAME: Final = re.compile(r'File "([^"]+)", line \d+, in (\S+)')
_RAISED: Final = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")
_FOREIGN: Final = ("/site-packages/", "/dist-packages/", "/lib/python", "<frozen", "<string>")
_TOLD: Final = ("exception", "stack_info")


@dataclass(frozen=True, slots=True)
class Kinship:
    """What an error shares with its like, and what it said itself."""

    fingerprint: str
    template: str
    sample: str


def of_text(service: str, message: str) -> Kinship:
    """Return the kinship of an error that is a text."""
    return _kinship(service, "", normalised(message), message)


def of_event(service: str, event: str, message: str, fields: Mapping[str, Any]) -> Kinship:
    """Return the kinship of an error with fields: by its exception's type and place, else by what ``error`` says."""
    raised = _raised(fields.get("exception"))
    what = [event, normalised(message)]
    what.append(f"{raised[0]} in {raised[1]}" if raised else normalised(str(fields.get("error") or "")))
    text = " ".join(part for part in (event, message, _facts(fields), raised[2] if raised else "") if part)
    return _kinship(service, event, " ".join(part for part in what if part), text)


def normalised(text: str) -> str:
    """Return the text with what varies in angle brackets, as in ``order <n> failed after <duration>``."""
    found = _ANY.sub(lambda match: _NAMES[(match.lastindex or 1) - 1], text[:_READ_CHARACTERS])
    return _SPACE.sub(" ", found).strip()[:SHOWN_CHARACTERS]


def cleaned(text: str) -> str:
    """Return the beginning of a text as it may be shown: on one line, without credentials and control characters."""
    plain = "".join(character if character.isprintable() else " " for character in text[:_READ_CHARACTERS])
    return storable(_SPACE.sub(" ", redacted(plain)).strip())[:SHOWN_CHARACTERS]


def _kinship(service: str, event: str, template: str, sample: str) -> Kinship:
    shown = cleaned(template)
    name = sha256("\0".join((service, event, shown)).encode()).hexdigest()[:16]
    return Kinship(name, shown, cleaned(sample))


def _facts(fields: Mapping[str, Any]) -> str:
    told = without_secrets(fields)
    return " ".join(f"{key}={value}" for key, value in told.items() if key not in _TOLD)


def _raised(exception: object) -> tuple[str, str, str] | None:
    """Return an exception's type, its innermost own place, and its text: structlog's list, or a traceback as text."""
    if isinstance(exception, str):
        return _of_traceback(exception)
    if not (isinstance(exception, list) and exception and isinstance(exception[0], Mapping)):
        return None
    first = exception[0]
    frames = first.get("frames")
    places = [
        (str(frame.get("filename", "")), str(frame.get("name", "")))
        for frame in (frames if isinstance(frames, list) else [])
        if isinstance(frame, Mapping)
    ]
    kind = str(first.get("exc_type", "Exception"))
    return kind, _own(places), f"{kind}: {first.get('exc_value', '')}"


def _of_traceback(text: str) -> tuple[str, str, str] | None:
    last = text.strip().rpartition("\n")[2].strip()
    raised = _RAISED.match(last)
    places = _FRAME.findall(text)
    return (raised[1], _own(places), last) if raised and places else None


def _own(places: Sequence[tuple[str, str]]) -> str:
    """Return the innermost place that is not a library's; the line is left out, since it moves with every edit."""
    own = [place for place in places if not any(part in place[0] for part in _FOREIGN)]
    for path, function in reversed(own or places):
        return f"{'/'.join(path.rsplit('/', 2)[-2:])}:{function}"
    return "nowhere"
