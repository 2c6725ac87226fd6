"""``python -m bench.cost``."""

import sys

from bench.cost.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
