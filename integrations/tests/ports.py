"""Free ports, and waits that end."""

import socket
import time

PATIENCE = 60


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def wait_for(what, condition, patience=PATIENCE):
    """Polls until a condition has a true value, which is returned."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")
