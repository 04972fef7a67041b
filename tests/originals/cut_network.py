"""Cuts the process off from the network, all but one address, and tells who wanted to get through."""

import sys

#: What was refused, as "EVENT TARGET".
refused = []

# Every way out of CPython's socket module, whoever calls it, raises one of these events before it acts.
TARGETS = {
    "socket.connect": lambda _socket, address: address,
    "socket.sendto": lambda _socket, address: address,
    "socket.sendmsg": lambda _socket, address: address,
    "socket.getaddrinfo": lambda host, port, *_rest: (host, port),
    "socket.gethostbyname": lambda host: (host, None),
    "socket.gethostbyaddr": lambda host: (host, None),
}


def cut(allowed):
    """From now on, only `allowed` (host, port) can be reached; there is no way back. None: nothing can."""

    def hook(event, arguments):
        if event not in TARGETS:
            return
        target = TARGETS[event](*arguments)
        if allowed is not None and tuple(target[:2]) == allowed:
            return
        refused.append(f"{event} {target}")
        raise ConnectionRefusedError(f"the network is cut: {event} {target}")

    sys.addaudithook(hook)
