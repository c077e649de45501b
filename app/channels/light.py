"""What stack lights and sirens have in common: they are not told once, they are kept as they should be."""

import asyncio
from collections.abc import Mapping
from typing import Protocol


class Wanted:
    """What a light should show. Who keeps it waits for `news`: a change of mind, or a light that shows otherwise."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self._news = asyncio.Event()

    def be(self, on: bool) -> None:
        if self.on != on:
            self.on = on
            self._news.set()

    def doubt(self) -> None:
        """The light does not show it, or may not: write it again."""
        self._news.set()

    async def news(self, *, within: float) -> bool:
        """Wait until there is reason to write; False when there was none for so many seconds."""
        try:
            await asyncio.wait_for(self._news.wait(), within)
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Light(Protocol):
    """A channel whose outlets are lamps or sirens."""

    async def hold(self, target: Mapping[str, object], wanted: Wanted) -> None:
        """Connect, and keep the light as `wanted` says. Never returns; ends by being cancelled.

        Raises:
            Undeliverable: the connection was lost or never came about, or the light refused.
        """
        ...
