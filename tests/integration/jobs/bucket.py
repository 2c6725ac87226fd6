"""A store that speaks as much of S3 as an archive needs, over HTTP, in memory.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY = "AKIATEST"


@dataclass
class Bucket:
    """The objects by key, and what was asked."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refused: int = 0


@contextmanager
def bucket(name: str) -> Iterator[Bucket]:
    one = Bucket()

    class Handler(_Handler):
        bucket_name, state = name, one

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield one
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket_name: str
    state: Bucket

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _xml(self, text: str) -> None:
        self._answer(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), Content_Type="application/xml")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return _unwrapped(body) if "x-amz-decoded-content-length" in self.headers else body

    def _do(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self._body()
        name, _, key = unquote(parts.path).lstrip("/").partition("/")
        self.state.asked.append(f"{self.command} {key}")
        if f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            self.state.refused += 1
            self._answer(403, b"<Error><Code>InvalidAccessKeyId</Code></Error>")
        elif name != self.bucket_name:
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        else:
            getattr(self, f"_{self.command.lower()}")(key, query, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _do  # noqa: N815  the names that http.server looks for

    def _head(self, key: str, query: dict[str, str], body: bytes) -> None:
        self._get(key, query, body)

    def _get(self, key: str, query: dict[str, str], body: bytes) -> None:
        if not key:
            self._list(query)
        elif key not in self.state.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            content = self.state.objects[key]
            said = {"ETag": _tag(content), "Last_Modified": "Mon, 02 Mar 2026 00:00:00 GMT"}
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if wanted is None:
                self._answer(200, content, **said)
            else:
                first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
                said["Content_Range"] = f"bytes {first}-{last}/{len(content)}"
                self._answer(206, content[first : last + 1], **said)

    def _list(self, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        keys = [key for key in sorted(self.state.objects) if key.startswith(prefix)]
        inner = [key for key in keys if delimiter and delimiter in key[len(prefix) :]]
        folders = sorted({prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter for key in inner})
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.state.objects[key])}</Size>"
            f"<LastModified>2026-03-02T00:00:00.000Z</LastModified></Contents>"
            for key in keys
            if key not in inner
        )
        common = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders)
        self._xml(
            f"<ListBucketResult><Name>{self.bucket_name}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(keys)}"
            f"</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{found}{common}</ListBucketResult>"
        )

    def _put(self, key: str, query: dict[str, str], body: bytes) -> None:
        source = self.headers.get("x-amz-copy-source")
        if source is not None:
            content = self.state.objects[unquote(source).lstrip("/").partition("/")[2]]
            self.state.objects[key] = content
            self._xml(f"<CopyObjectResult><ETag>{_tag(content)}</ETag></CopyObjectResult>")
        elif "uploadId" in query:
            self.state.uploads[query["uploadId"]][int(query["partNumber"])] = body
            self._answer(200, ETag=_tag(body))
        else:
            self.state.objects[key] = body
            self._answer(200, ETag=_tag(body))

    def _post(self, key: str, query: dict[str, str], body: bytes) -> None:
        if "uploads" in query:
            identity = f"upload-{len(self.state.uploads)}"
            self.state.uploads[identity] = {}
            self._xml(
                f"<InitiateMultipartUploadResult><Bucket>{self.bucket_name}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{identity}</UploadId></InitiateMultipartUploadResult>"
            )
            return
        parts = self.state.uploads[query["uploadId"]]
        self.state.objects[key] = b"".join(parts[number] for number in sorted(parts))
        self._xml(
            f"<CompleteMultipartUploadResult><Key>{escape(key)}</Key><ETag>x</ETag></CompleteMultipartUploadResult>"
        )

    def _delete(self, key: str, query: dict[str, str], body: bytes) -> None:
        self.state.objects.pop(key, None)
        self._answer(204)


def _unwrapped(body: bytes) -> bytes:
    """Take ``aws-chunked`` apart: sizes in hexadecimal, with signatures perhaps, and a checksum behind."""
    parts, place = [], 0
    while True:
        end = body.index(b"\r\n", place)
        size = int(body[place:end].split(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        place = end + 2 + size + 2


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'
