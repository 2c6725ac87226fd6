"""Parts of the desk, as a job's result tells them. Pure."""

from collections.abc import Iterable, Sequence

from nightdesk.health import Part, Status


def shown(parts: Iterable[Part]) -> list[dict[str, object]]:
    """Return a row for each part."""
    return [part.as_json() for part in parts]


def unwell(parts: Iterable[Part]) -> list[Part]:
    """Return the parts that are not as they should be, the worst first."""
    return sorted(
        (part for part in parts if part.status is not Status.OK), key=lambda part: part.status is Status.DEGRADED
    )


def told(parts: Sequence[Part]) -> str:
    """Return what is wrong with each, in one line."""
    return "; ".join(f"{part.part}: {part.detail}" for part in parts)


def well(part: str, detail: str, **facts: float | int | str | bool | None) -> Part:
    """Return a part that is as it should be."""
    return Part(part=part, status=Status.OK, detail=detail, facts=facts)


def degraded(part: str, detail: str, **facts: float | int | str | bool | None) -> Part:
    """Return a part that works, but not as it should."""
    return Part(part=part, status=Status.DEGRADED, detail=detail, facts=facts)


def down(part: str, detail: str, **facts: float | int | str | bool | None) -> Part:
    """Return a part that does not work."""
    return Part(part=part, status=Status.DOWN, detail=detail, facts=facts)
