"""``python -m bench.endurance``."""

import sys

from bench.endurance.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
