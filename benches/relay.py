"""A TCP relay on loopback that makes the way longer: what comes in goes out half a round trip later."""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that are read at once.
PIECE = 65536


@contextmanager
def longer_way(port: int, round_trip: float, address: str = "127.0.0.1") -> Iterator[Relay]:
    """Relay to a port, with a round trip of so many seconds."""
    if round_trip == 0:
        # A relay alone would take time; then the port is that of the server itself.
        yield Relay(address, port, 0)
        return
    loop = asyncio.new_event_loop()
    relay = Relay(address, port, round_trip / 2)
    runner = threading.Thread(target=loop.run_forever)
    runner.start()
    try:
        asyncio.run_coroutine_threadsafe(relay.open(), loop).result(10)
        yield relay
    finally:
        try:
            asyncio.run_coroutine_threadsafe(relay.close(), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            runner.join()
            loop.close()


class Relay:
    """Any number of connections to one port, in which each direction takes its time."""

    def __init__(self, address: str, port: int, delay: float) -> None:
        """Know where it leads, and how many seconds each direction takes."""
        self.address = address
        self.port = port
        self.own_port = port
        self.delay = delay
        self.tasks: set[asyncio.Task] = set()
        #: When something came from the client, and when something was on its way back to it.
        self.traffic: list[tuple[float, str]] = []

    async def open(self) -> None:
        """Listen on a port of its own."""
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        self.own_port = self.server.sockets[0].getsockname()[1]

    def round_trips_between(self, start: float, end: float) -> int:
        """Count how often the client waited for the server: something came back after something had gone out."""
        directions = [direction for moment, direction in sorted(self.traffic) if start <= moment <= end]
        return sum(pair == ("out", "back") for pair in itertools.pairwise(directions))

    async def close(self) -> None:
        """End all connections."""
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def connect(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        """Lead a connection on, until both sides have ended it."""
        self.tasks.add(asyncio.current_task())
        far_out = None
        try:
            far_in, far_out = await asyncio.open_connection(self.address, self.port)
            await asyncio.gather(self.carry(near_in, far_out, "out"), self.carry(far_in, near_out, "back"))
        except (OSError, asyncio.CancelledError):
            # What is lost on one side ends on both.
            pass
        finally:
            self.tasks.discard(asyncio.current_task())
            for side in (near_out, far_out):
                if side:
                    side.close()

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: str) -> None:
        """Carry one direction. Pieces under way do not wait for one another: each has its own time of arrival."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.ensure_future(self.arrive(under_way, sink))
        try:
            piece = b"."
            while piece:
                piece = await source.read(PIECE)
                now = asyncio.get_running_loop().time()
                # When it is at the client, where the times of tasks are taken.
                self.traffic.append((now if direction == "out" else now + self.delay, direction))
                under_way.put_nowait((now + self.delay, piece))
            await arriving
        finally:
            arriving.cancel()

    async def arrive(self, under_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        """Let each piece arrive at its time; an empty one is the end."""
        while True:
            due, piece = await under_way.get()
            # The loop wakes up to a millisecond late, so it is asked for less, and the rest is waited for awake.
            await asyncio.sleep(max(0, due - asyncio.get_running_loop().time() - 0.001))
            while asyncio.get_running_loop().time() < due:
                await asyncio.sleep(0)
            if not piece:
                sink.write_eof()
                return
            sink.write(piece)
            await sink.drain()
