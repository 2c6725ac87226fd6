"""Search one target with atheris, which is libFuzzer guided by the branches of Python code.

``python -m tests.fuzz.engine TARGET [libFuzzer's arguments]``; ends with libFuzzer's status, 0 when nothing was found.
"""

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["nightdesk", "services"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS


def main(name: str, arguments: list[str]) -> None:
    """Search until libFuzzer ends the process."""
    target = TARGETS[name]

    def mutate(data: bytes, max_bytes: int, seed: int) -> bytes:
        return target.mutate(data, Random(seed), lambda part: atheris.Mutate(part, max_bytes))[:max_bytes]

    atheris.Setup([name, *arguments], target.check, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
