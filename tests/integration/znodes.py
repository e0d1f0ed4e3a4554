"""What ZooKeeper holds, read by its own protocol: as the broker, who logs in, or as nobody."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import struct
from typing import TYPE_CHECKING, Self

from tests.integration.clients import receive_frame, send_frame

if TYPE_CHECKING:
    from tests.integration.containers import Service

__all__ = ["NotLetInError", "Znodes"]

_GET_DATA, _SASL = 4, 102
_NO_NODE = -101
# AUTHFAILED, and SESSIONCLOSEDREQUIRESASLAUTH.
_NOT_LET_IN = (-115, -124)
_SESSION_MS = 30_000
_PLACE = "zookeeper/zk-sasl-md5"


class NotLetInError(Exception):
    """ZooKeeper refused the login, or wants one."""


class Znodes:
    """A session as the user `kafka`, or as nobody where it does not log in; a context manager."""

    def __init__(self, zookeeper: Service, password: str | None = None, *, logs_in: bool = True) -> None:
        self._address = (zookeeper.host, zookeeper.port)
        self._password = zookeeper.environment.password("zookeeper_kafka") if password is None else password
        self._logs_in = logs_in
        self._asked = 0

    def __enter__(self) -> Self:
        """Open the session and log in; raises NotLetInError."""
        self._connection = socket.create_connection(self._address, timeout=10)
        try:
            # Protocol 0, nothing seen, a new session with an empty password, not read-only.
            send_frame(self._connection, struct.pack(">iqiqi16sb", 0, 0, _SESSION_MS, 0, 16, b"", 0))
            receive_frame(self._connection)
            if self._logs_in:
                self._log_in()
        except NotLetInError:
            self._connection.close()
            raise
        except (OSError, struct.error) as failure:
            self._connection.close()
            raise NotLetInError(str(failure)) from failure
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> bytes | None:
        """Give what a znode holds, None where there is none; raises NotLetInError."""
        error, body = self._ask(_GET_DATA, _buffer(path.encode()) + b"\x00")
        if error == _NO_NODE:
            return None
        if error in _NOT_LET_IN:
            raise NotLetInError(f"error {error}")
        assert error == 0, f"{path}: error {error}"
        return _text(body)

    def _log_in(self) -> None:
        _, challenge = self._ask(_SASL, _buffer(b""))
        error, _ = self._ask(_SASL, _buffer(_answer(_text(challenge), self._password)))
        if error:
            raise NotLetInError(f"error {error}")

    def _ask(self, kind: int, body: bytes) -> tuple[int, bytes]:
        self._asked += 1
        send_frame(self._connection, struct.pack(">ii", self._asked, kind) + body)
        answer = receive_frame(self._connection)
        number, _, error = struct.unpack(">iqi", answer[:16])
        assert number == self._asked
        return error, answer[16:]


def _answer(challenge: bytes, password: str) -> bytes:
    """Answer a challenge of DIGEST-MD5 (RFC 2831) as the user `kafka`."""
    told = dict(re.findall(r'(\w+)="([^"]*)"', challenge.decode()))
    realm, nonce, own = told["realm"], told["nonce"], secrets.token_hex(16)
    secret = _md5(f"kafka:{realm}:{password}".encode()).digest() + f":{nonce}:{own}".encode()
    first, second = _md5(secret).hexdigest(), _md5(f"AUTHENTICATE:{_PLACE}".encode()).hexdigest()
    response = _md5(f"{first}:{nonce}:00000001:{own}:auth:{second}".encode()).hexdigest()
    return (
        f'charset=utf-8,username="kafka",realm="{realm}",nonce="{nonce}",nc=00000001,cnonce="{own}",'
        f'digest-uri="{_PLACE}",maxbuf=65536,response={response},qop=auth'
    ).encode()


def _md5(text: bytes) -> hashlib._Hash:
    return hashlib.md5(text, usedforsecurity=False)


def _buffer(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


def _text(body: bytes) -> bytes:
    (length,) = struct.unpack(">i", body[:4])
    return body[4 : 4 + max(length, 0)]
