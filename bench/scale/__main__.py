"""``python -m bench.scale``."""

import sys

from bench.scale.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
