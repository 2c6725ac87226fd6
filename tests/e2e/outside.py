"""The desk as it is seen from outside: by its name, over TLS, through the proxy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from tests.e2e.stack import Desk

NAME: Final = "desk.localhost"
"""A name under localhost: Caddy signs its certificate itself, and browsers find it on this machine."""

AUTHORITY: Final = "/var/lib/nightdesk/proxy/caddy/pki/authorities/local/root.crt"


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Whoever is out there; ``authority`` is the certificate that they trust."""

    tls: str
    plain: str
    authority: Path

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        """Return one answer, its certificate having been verified; no redirect is followed and no cookie kept."""
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _ByName())
            return session.request(
                method,
                f"https://{self.tls}{path}",
                headers={"Host": NAME, **(headers or {})},
                verify=str(self.authority),
                allow_redirects=False,
                timeout=15,
                **more,
            )

    def address(self) -> str:
        """Return where a browser of this machine finds it."""
        return f"https://{NAME}:{self.tls.rpartition(':')[2]}"


class _ByName(HTTPAdapter):
    """Connects to an address and asks there for the name, as DNS would make it."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, server_hostname=NAME, assert_hostname=NAME)


def outside_of(desk: Desk, directory: Path) -> Outside:
    """Return the view from outside of a desk whose proxy runs."""
    authority = directory / "root.crt"
    authority.write_text(desk.compose("exec", "-T", "proxy", "cat", AUTHORITY), encoding="ascii")
    return Outside(tls=desk.published("proxy", 8443), plain=desk.published("proxy", 8080), authority=authority)
