# SPDX-License-Identifier: Apache-2.0
"""Hands on TCP connections: ``python -m novadocker.cloud.programs.forwarder``.

APIs, broker and databases listen on the machine's loopback, where no other network namespace
reaches them. One forwarder listens for them on the management network, and one on each further
host's own loopback: so an address means the same everywhere, and all goes over the cable.
"""

import argparse
import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

_PIECE = 256 * 1024
# A peer behind a cable that was pulled: how long a connection waits for its answers.
_IDLE_SECONDS, _PROBE_SECONDS, _PROBES = 30, 5, 4

Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connected]]


def main() -> None:
    """Forward until told to end."""
    asyncio.run(_forward(_parse()))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="address to accept connections at")
    parser.add_argument("--device", help="accept only what comes in by this network device")
    parser.add_argument("--to", required=True, help="address to connect to")
    parser.add_argument("--socket", type=Path, required=True, help="tells that all is accepted")
    parser.add_argument(
        "--unix", nargs=2, action="append", default=[], metavar=("PORT", "PATH"), help="a socket"
    )
    parser.add_argument("ports", nargs="+", type=int)
    return parser.parse_args()


async def _forward(arguments: argparse.Namespace) -> None:
    sockets = {int(port): path for port, path in arguments.unix}
    running: set[asyncio.Task[None]] = set()
    async with contextlib.AsyncExitStack() as undo:
        for port in arguments.ports:
            connect: Connect = (
                partial(asyncio.open_unix_connection, sockets[port])
                if port in sockets
                else partial(asyncio.open_connection, arguments.to, port)
            )
            server = await asyncio.start_server(
                partial(_accept, running, connect), sock=_listener(arguments, port), limit=_PIECE
            )
            await undo.enter_async_context(server)
        arguments.socket.unlink(missing_ok=True)
        ready = await asyncio.start_unix_server(_answer, arguments.socket)
        await undo.enter_async_context(ready)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        await ended.wait()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _listener(arguments: argparse.Namespace, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if arguments.device:
        # Else whoever routes to this machine could speak to what is meant for its loopback.
        device = arguments.device.encode()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    listener.bind((arguments.listen, port))
    listener.listen(512)
    return listener


def _accept(
    running: set[asyncio.Task[None]],
    connect: Connect,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    # The loop itself holds tasks weakly: one between two quiet sockets would be collected.
    task = asyncio.get_running_loop().create_task(_serve(connect, reader, writer))
    running.add(task)
    task.add_done_callback(running.discard)


async def _serve(
    connect: Connect, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        there, back = await connect()
    except OSError:
        # Nobody listens there now, which the caller learns as it would without us.
        writer.transport.abort()
        return
    for each in (writer, back):
        _watch(each.get_extra_info("socket"))
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, back))
            both.create_task(_copy(there, writer))
    except* OSError:
        # One side was reset: the other is to notice at once.
        writer.transport.abort()
        back.transport.abort()
    finally:
        writer.close()
        back.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    # Half closed, as some clients do: answers may still come the other way.
    if writer.can_write_eof():
        writer.write_eof()


def _watch(stream: socket.socket) -> None:
    if stream.family != socket.AF_INET:
        return
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


async def _answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


if __name__ == "__main__":
    main()
