"""The machine and the jobs on it, played by the understudy: a full disk, a missed run, a log full of errors."""

from typing import Final

from tests.night.incidents.incident import Harm
from tests.night.scene import Scene
from tests.night.understudy import ARCHIVE, BACKUP, SCAN

ENOUGH: Final = 0.6


def disk_full(scene: Scene) -> Harm:
    """Hardly anything of a disk is free."""
    condition_s = scene.understudy.disk(ARCHIVE, 0.03)
    return Harm(condition_s=condition_s, mend=lambda: _free(scene, ARCHIVE))


def disk_filling(scene: Scene) -> Harm:
    """Little of a disk is free."""
    condition_s = scene.understudy.disk(BACKUP, 0.12)
    return Harm(condition_s=condition_s, mend=lambda: _free(scene, BACKUP))


def job_missed(scene: Scene) -> Harm:
    """A job does not run at its time."""
    return Harm(condition_s=scene.understudy.miss_job(SCAN))


def errors_logged(scene: Scene) -> Harm:
    """A service logs one error after the other."""
    return Harm(condition_s=scene.understudy.errors(40))


def _free(scene: Scene, volume: str) -> None:
    scene.understudy.disk(volume, ENOUGH)
