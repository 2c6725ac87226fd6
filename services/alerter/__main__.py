"""``python -m services.alerter``."""

from services.alerter.app import main

if __name__ == "__main__":
    main()
