"""Boards in pure Python that speak real bytes: `virtual://watch?seed=7` is a port like any other.

A board is pure (bytes and times in, bytes out); `protocol_virtual` lets pyserial open one, `serve` puts boards on
pseudo terminals. Other packages add boards by the entry point `firmware_bridge.virtual_boards`.
"""

__all__ = ["register"]


def register() -> None:
    """Let pyserial open `virtual://` ports.

    The handler is imported here, because pyserial takes an ImportError in a handler for "no such protocol" and would
    hide what is really missing.
    """
    import serial

    from firmware_bridge.virtual import protocol_virtual

    package = protocol_virtual.__name__.rpartition(".")[0]
    if package not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(package)
