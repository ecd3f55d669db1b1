# SPDX-License-Identifier: BSD-2-Clause
"""The part of the GDB remote protocol that stops a guest at an address and reads its memory."""

import socket
from typing import List

from . import machine

# The registers' numbers in QEMU's stub (gdb-xml/i386-64bit.xml). The xmm registers have 16 bytes, the others 8.
REGISTERS = {**{name: number for number, name in enumerate("rax rbx rcx rdx rsi rdi rbp rsp".split())},
             "rip": 16, "cr0": 27, "cr4": 30, **{f"xmm{number}": 49 + number for number in range(16)}}


class Gdb:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(machine.TIMEOUT)
        self._buffer = b""
        self.running = False
        # The stub reads single registers only for a client that has asked for the list of registers.
        self._ask("qXfer:features:read:target.xml:0,ffb")

    def _byte(self) -> bytes:
        if not self._buffer:
            self._buffer = self._connection.recv(65536)
            if not self._buffer:
                raise EOFError("QEMU closed the connection")
        byte, self._buffer = self._buffer[:1], self._buffer[1:]
        return byte

    def _receive(self) -> str:
        while self._byte() != b"$":
            pass
        packet = b""
        while (byte := self._byte()) != b"#":
            packet += byte
        self._byte()
        self._byte()
        self._connection.sendall(b"+")
        return packet.decode()

    def _send(self, packet: str) -> None:
        checksum = sum(packet.encode()) % 256
        self._connection.sendall(f"${packet}#{checksum:02x}".encode())

    def _ask(self, packet: str) -> str:
        self._send(packet)
        answer = self._receive()
        assert not answer.startswith("E"), f"gdbstub answered {answer} to {packet}"
        return answer

    def run_to(self, address: int) -> None:
        """Runs until the instruction at `address` is next, by a hardware breakpoint."""
        self.run_to_any([address])

    def run_to_any(self, addresses: List[int]) -> int:
        """Like `run_to` for several addresses. Returns the index of the one that was reached."""
        for address in addresses:
            self._ask(f"Z1,{address:x},1")
        self.run()
        assert self.wait_until_stopped().startswith("T05")
        for address in addresses:
            self._ask(f"z1,{address:x},1")
        return addresses.index(self.register("rip"))

    def run(self) -> None:
        self._send("c")
        self.running = True

    def wait_until_stopped(self) -> str:
        """Waits until a breakpoint is met or the machine is paused. Returns the stub's answer."""
        answer = self._receive()
        self.running = False
        return answer

    def register(self, name: str) -> int:
        return int.from_bytes(bytes.fromhex(self._ask(f"p{REGISTERS[name]:x}")), "little")

    def set_register(self, name: str, value: int) -> None:
        assert self._ask(f"P{REGISTERS[name]:x}={value.to_bytes(8, 'little').hex()}") == "OK"

    def read(self, address: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = min(size - len(data), 1024)
            data += bytes.fromhex(self._ask(f"m{address + len(data):x},{chunk:x}"))
        return data

    def write(self, address: int, data: bytes) -> None:
        """Writes in parts: QEMU's stub takes packets of 4096 characters at most."""
        for at in range(0, len(data), 1024):
            part = data[at:at + 1024]
            assert self._ask(f"M{address + at:x},{len(part):x}:{part.hex()}") == "OK"

    def flip(self, address: int, bit: int = 0) -> None:
        """Changes one bit of the byte at `address`."""
        before = self.read(address, 1)[0]
        self.write(address, bytes([before ^ 1 << bit]))
        assert self.read(address, 1)[0] == before ^ 1 << bit

    def resume(self) -> None:
        """Disconnects, and lets the guest run on."""
        self._send("D")
        self._connection.close()
