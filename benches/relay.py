"""A TCP relay on loopback that makes the way longer: what comes in goes out half a round trip later."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that are read at once.
PIECE = 65536


@contextmanager
def longer_way(port: int, round_trip: float) -> Iterator[int]:
    """Relay to a port, with a round trip of so many seconds, and give the port to connect to; none is needed for 0."""
    if round_trip == 0:
        yield port
        return
    loop = asyncio.new_event_loop()
    relay = Relay(port, round_trip / 2)
    runner = threading.Thread(target=loop.run_forever)
    runner.start()
    try:
        yield asyncio.run_coroutine_threadsafe(relay.open(), loop).result(10)
    finally:
        try:
            asyncio.run_coroutine_threadsafe(relay.close(), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            runner.join()
            loop.close()


class Relay:
    """Any number of connections to one port, in which each direction takes its time."""

    def __init__(self, port: int, delay: float) -> None:
        """Know where it leads, and how many seconds each direction takes."""
        self.port = port
        self.delay = delay
        self.tasks: set[asyncio.Task] = set()

    async def open(self) -> int:
        """Listen, and give the port."""
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

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
            far_in, far_out = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.gather(self.carry(near_in, far_out), self.carry(far_in, near_out))
        except (OSError, asyncio.CancelledError):
            # What is lost on one side ends on both.
            pass
        finally:
            self.tasks.discard(asyncio.current_task())
            for side in (near_out, far_out):
                if side:
                    side.close()

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carry one direction. Pieces under way do not wait for one another: each has its own time of arrival."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.ensure_future(self.arrive(under_way, sink))
        try:
            piece = b"."
            while piece:
                piece = await source.read(PIECE)
                under_way.put_nowait((asyncio.get_running_loop().time() + self.delay, piece))
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
