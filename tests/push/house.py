"""Pullcord itself, as it runs in a plant: a process with web server and loops, one station and one team lead."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from sqlmodel import Session

from app.flows.actions import publish
from app.flows.starter import documents
from app.kit.clock import utcnow
from app.kit.db import connect, finish
from app.kit.migrate import upgrade
from app.people.login import set_pin
from app.people.models import Person, Role, Team
from app.plant.models import Area, Line, Site, Station
from tests.push.service import PushService

LEAD, PIN, STATION = "Wang Lei", "4711", "7K3Q"


class House:
    """`with House(folder, service) as house:`. Its phones are called through `service`."""

    def __init__(self, folder: Path, service: PushService) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = f"sqlite:///{folder / 'pullcord.db'}"
        self._log = folder / "log.txt"
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("PULLCORD_")} | {
            "PULLCORD_DATA_DIR": str(folder),
            "PULLCORD_PORT": str(self.port),
            "PULLCORD_PUBLIC_URL": self.url,
            "PULLCORD_PUSH_HOSTS": json.dumps([service.place]),
            "PULLCORD_LANGUAGE": "en",
        }

    def __enter__(self) -> Self:
        upgrade(self.database)
        self._furnish()
        self.starts()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def starts(self) -> None:
        """Also again, after it was killed."""
        command = [sys.executable, "-m", "workers.cli", "up"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, env=self._env, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.until(self._ready, "Pullcord did not start", seconds=60)
        except BaseException:
            self.__exit__()
            raise

    def is_killed(self) -> None:
        """The plug is pulled."""
        self._process.kill()
        self._process.wait()

    def report(self, category: str, **answers: str) -> None:
        """A worker's one tap, without login."""
        form = urllib.parse.urlencode({"category": category, **answers}).encode()
        urllib.request.urlopen(f"{self.url}/s/{STATION}/reports", form).close()

    def ask(self, statement: Any) -> Sequence[Any]:
        """Look into the database, beside the running process."""
        engine = connect(self.database, writer=False)
        with Session(engine) as session:
            return session.exec(statement).all()

    def until(self, condition: Callable[[], bool], otherwise: str, *, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}\n{self._log.read_text()[-3000:]}"
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/readyz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _furnish(self) -> None:
        with Session(connect(self.database, writer=True)) as session:
            site = Site(names={"en": "Plant"}, timezone="Asia/Shanghai")
            area = Area(site_id=site.id, names={"en": "Stamping"})
            line = Line(area_id=area.id, names={"en": "Line 3"})
            press = Station(line_id=line.id, site_id=site.id, code=STATION, names={"en": "Press 7"})
            team = Team(site_id=site.id, key="maintenance", names={"en": "Maintenance"})
            for row in (site, area, line, press, team):
                session.add(row)
                session.flush()
            lead = Person(site_id=site.id, name=LEAD, role=Role.TEAM_LEAD, line_id=line.id, team_id=team.id)
            set_pin(lead, PIN)
            session.add(lead)
            for document in documents():
                publish(session, document, now=utcnow())
            finish(session)
            session.commit()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
