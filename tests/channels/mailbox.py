"""A small mail server that looks closely. It knows STARTTLS, TLS from the start, and one login."""

import asyncio
import base64
import email.policy
import ssl
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from typing import Self

import trustme


class MailBox:
    """`async with MailBox() as box:`. `answers` replaces an answer, as {"RCPT": "550 5.1.1 Nobody here"}."""

    def __init__(
        self,
        *,
        starttls: bool = True,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> None:
        self.letters: list[EmailMessage] = []
        self.envelopes: list[tuple[str, str]] = []
        self.encrypted: list[bool] = []
        self.said: list[str] = []
        self._starttls = starttls
        self._implicit = implicit_tls
        self._login = login
        self._answers = answers or {}
        authority = trustme.CA()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self.trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._talk, "127.0.0.1", 0, ssl=self._context if self._implicit else None
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls, sender, receiver = self._implicit, "", ""
        writer.write(b"220 mail.plant.example ESMTP\r\n")
        while line := await reader.readline():
            assert line.endswith(b"\r\n"), "a bare line feed"
            command, _, rest = line.decode("ascii").strip().partition(" ")
            self.said.append(command.upper())
            match command.upper():
                case verb if verb in self._answers:
                    answer = self._answers[verb]
                case "EHLO":
                    offers = ["mail.plant.example", "8BITMIME"]
                    offers += ["STARTTLS"] if self._starttls and not tls else []
                    offers += ["AUTH PLAIN"] if self._login else []
                    lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
                    answer = "\r\n".join(lines)
                case "STARTTLS":
                    writer.write(b"220 Go ahead\r\n")
                    await writer.start_tls(self._context)
                    tls = True
                    continue
                case "AUTH":
                    _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                    answer = "235 Welcome" if (user, password) == self._login else "535 5.7.8 Who are you?"
                case "MAIL":
                    sender, answer = rest.split(":", 1)[1].split(">")[0].strip("<"), "250 OK"
                case "RCPT":
                    receiver, answer = rest.split(":", 1)[1].split(">")[0].strip("<"), "250 OK"
                case "DATA":
                    writer.write(b"354 Go on\r\n")
                    raw = await reader.readuntil(b"\r\n.\r\n")
                    assert b"\n" not in raw.replace(b"\r\n", b""), "a bare line feed"
                    answer = self._answers.get(".", "250 2.0.0 Taken")
                    self.letters.append(message_from_bytes(raw[:-5], policy=email.policy.default))  # type: ignore[arg-type]
                    self.envelopes.append((sender, receiver))
                    self.encrypted.append(tls)
                case "QUIT":
                    writer.write(b"221 Bye\r\n")
                    break
                case _:
                    answer = "502 What?"
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
        writer.close()
