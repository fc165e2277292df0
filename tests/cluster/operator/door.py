"""A way to a server that can be shut: all its connections are cut at once, and new ones are refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass

from testbed import ports
from testbed.fixtures import wait_for


@dataclass
class Door:
    """A forwarder in a process of its own, so that its end is the end of its connections.

    Attributes
    ----------
    port
        Where it listens, on 127.0.0.1.
    server
        Where it leads, as host:port.
    """

    port: int
    server: str
    process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Let connections through."""
        command = [sys.executable, "-m", "cluster.operator.door", str(self.port), *self.server.rsplit(":", 1)]
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        wait_for(lambda: ports.is_open("127.0.0.1", self.port), what="the door is open")

    def shut(self) -> None:
        """Cut all connections and refuse new ones."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


async def _forward(port: int, host: str, server_port: int) -> None:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, server_port)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    async with await asyncio.start_server(through, "127.0.0.1", port) as listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_forward(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
