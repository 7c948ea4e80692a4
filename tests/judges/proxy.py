"""A proxy before a service that changes bytes of its answers: what a judge must object to."""

import contextlib
import copy
import socket
import threading


@contextlib.contextmanager
def before(service, changes, asked=None):
    """The same service behind a proxy. `changes` maps bytes of answers to others of the same length, for each lies in a
    frame; `asked` does so for requests."""
    asked = asked or {}
    assert all(len(old) == len(new) for old, new in (changes | asked).items())
    listener = socket.create_server(("127.0.0.1", 0))
    spoiled = copy.copy(service)
    spoiled.port = listener.getsockname()[1]
    threading.Thread(target=accept, args=(listener, service.port, changes, asked), daemon=True).start()
    try:
        yield spoiled
    finally:
        # Wakes the thread that waits for somebody to call.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def accept(listener, port, changes, asked):
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        called = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=pass_on, args=(caller, called, asked), daemon=True).start()
        threading.Thread(target=pass_on, args=(called, caller, changes), daemon=True).start()


def pass_on(source, sink, changes):
    with contextlib.suppress(OSError):
        while chunk := source.recv(1 << 16):
            for old, new in changes.items():
                chunk = chunk.replace(old, new)
            sink.sendall(chunk)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
