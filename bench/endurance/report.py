"""From samples to verdicts, to ``build/endurance.json`` and to a table. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.endurance.memory import Series
from bench.endurance.slope import Slope, level, slope

GROWS_MB_PER_HOUR: Final = 6.0
"""A rise that is surely above this is a leak; 1 MB in ten minutes, a container's whole limit in three days."""
STEPPED_MB: Final = 6.0
"""Steps that add up to more than this in one run are a leak too."""
THROUGHOUT: Final = 0.9
"""A process gets a slope when it was there for this share of the time."""
SAMPLES_KEPT: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One process over one run."""

    part: str
    service: str
    process: str
    begin_mb: float
    end_mb: float
    most_mb: float
    shared_mb: float
    slope_mb_per_hour: float
    give_or_take: float
    between_mb_per_hour: float
    """The slope without the steps."""
    between_give_or_take: float
    steps: int
    stepped_mb: float
    """What the steps, up and down, add up to."""
    verdict: str
    samples: Sequence[tuple[float, float]]
    """Seconds since the first, and MB, thinned out: for whoever wants to draw it."""


def rows(part: str, series: Iterable[Series], seconds: float) -> list[Row]:
    """Return a row for each process that was there throughout."""
    return [_row(part, one) for one in series if _throughout(one, seconds)]


def passing(series: Iterable[Series], seconds: float) -> dict[str, int]:
    """Return how many processes of each service were there for a while only."""
    counts: dict[str, int] = {}
    for one in series:
        if not _throughout(one, seconds):
            counts[one.service] = counts.get(one.service, 0) + 1
    return counts


def verdict(whole: Slope, between: Slope, stepped_mb: float) -> str:
    """Say what the slopes, with and without steps, mean: ``flat``, ``grows``, or ``unclear`` when both may be.

    One step up is no leak, and what creeps up and falls back is none either: a leak shows in both slopes, or in steps
    that add up.
    """
    if stepped_mb > STEPPED_MB or (_rises(whole) and _rises(between)):
        return "grows"
    return "flat" if _stands(whole) or _stands(between) else "unclear"


def _rises(one: Slope) -> bool:
    return one.per_hour - one.give_or_take > GROWS_MB_PER_HOUR


def _stands(one: Slope) -> bool:
    return one.per_hour + one.give_or_take <= GROWS_MB_PER_HOUR


def growing(found: Iterable[Row], ours: Sequence[str]) -> list[str]:
    """Return a line for each process of these services that grows."""
    return [
        f"{one.part}: {one.service} ({one.process}) grows: {one.slope_mb_per_hour:.1f} MB an hour, "
        f"and {one.stepped_mb:.1f} MB in {one.steps} steps"
        for one in found
        if one.service in ours and one.verdict == "grows"
    ]


def as_json(found: Sequence[Row], runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what ``build/endurance.json`` holds."""
    return {"runs": runs, "processes": [asdict(one) for one in found]}


def as_table(found: Sequence[Row]) -> str:
    """Return the table."""
    memory = f"{'begin':>8}{'end':>8}{'most':>8}{'shared':>8}"
    growth = f"{'MB/hour':>9}{'+-':>7}{'between':>9}{'+-':>7}{'steps':>6}{'MB':>6}"
    head = f"{'part':<8}{'process':<46}{memory}{growth}  verdict"
    return "\n".join([head, *map(_line, found)])


def _line(one: Row) -> str:
    memory = f"{one.begin_mb:>8.1f}{one.end_mb:>8.1f}{one.most_mb:>8.1f}{one.shared_mb:>8.1f}"
    growth = f"{one.slope_mb_per_hour:>9.2f}{one.give_or_take:>7.2f}"
    between = f"{one.between_mb_per_hour:>9.2f}{one.between_give_or_take:>7.2f}{one.steps:>6}{one.stepped_mb:>6.1f}"
    return f"{one.part:<8}{f'{one.service}: {one.process}':<46.45}{memory}{growth}{between}  {one.verdict}"


def _throughout(series: Series, seconds: float) -> bool:
    times_s = series.times_s
    return len(times_s) >= 2 and times_s[-1] - times_s[0] >= THROUGHOUT * seconds


def _row(part: str, series: Series) -> Row:
    private_mb, steps = level(series.private_mb)
    whole, between = slope(series.times_s, series.private_mb), slope(series.times_s, private_mb)
    return Row(
        part=part,
        service=series.service,
        process=_name(series.command),
        begin_mb=round(series.private_mb[0], 2),
        end_mb=round(series.private_mb[-1], 2),
        most_mb=round(max(series.private_mb), 2),
        shared_mb=round(max(series.shared_mb), 2),
        slope_mb_per_hour=round(whole.per_hour, 2),
        give_or_take=round(whole.give_or_take, 2),
        between_mb_per_hour=round(between.per_hour, 2),
        between_give_or_take=round(between.give_or_take, 2),
        steps=len(steps),
        stepped_mb=round(sum(steps), 2),
        verdict=verdict(whole, between, sum(steps)),
        samples=_thinned(series),
    )


def _thinned(series: Series) -> list[tuple[float, float]]:
    every = -(-len(series.times_s) // SAMPLES_KEPT)
    pairs = zip(series.times_s[::every], series.private_mb[::every], strict=True)
    return [(round(time_s - series.times_s[0], 1), round(mb, 2)) for time_s, mb in pairs]


def _name(command: str) -> str:
    """Return the telling part of a command: a module, or what PostgreSQL calls its children."""
    words = command.split()
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    if words and words[0] == "postgres:":
        return _backend(words[1:])
    return words[0].rpartition("/")[2] if words else "(gone)"


def _backend(words: Sequence[str]) -> str:
    """Return a server process's name: of a client's, its role and database, without address and present command."""
    client = next((at for at, word in enumerate(words) if "(" in word), len(words))
    return " ".join(words[:client])
