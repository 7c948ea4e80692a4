"""A workspace as judges see it: its documents, what its contracts declare, and its services on ports of their own."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

# What a service may take to start.
START = 30


class Service:
    """A service: where it listens, and what its contract says of it."""

    def __init__(self, name, workspace):
        self.name = name
        self.contract = workspace / "contracts" / name
        # The name of a module, which no keyword is. Services that take nothing but messages have none.
        module, folder = name.replace("-", "_"), workspace / "tests/tests/contracts/provider"
        declared = [path for path in (folder / f"{module}.json", folder / f"{module}_.json") if path.exists()]
        description = json.loads(declared[0].read_text()) if declared else {}
        self.operations, self.resources = description.get("operations", []), description.get("resources", [])
        self.events = description.get("events", {})
        self.port = None

    @property
    def variable(self):
        """How its environment variables begin."""
        return self.name.upper().replace("-", "_")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def document(self, name):
        """The path of one of its documents, if it has it."""
        path = self.contract / name
        return path if path.exists() else None

    def resource(self, name):
        return next((resource for resource in self.resources if resource["name"] == name), None)

    def over(self, transport):
        """The operations that its contract declares for a transport."""
        return [operation for operation in self.operations if operation.get(transport)]


class System:
    """The services of a workspace, running with fresh data until the block is left."""

    # Seconds that a request may take, and the next item of a stream of input.
    timeout = 15

    def __init__(self, workspace, programs):
        self.workspace, self.programs = Path(workspace), Path(programs)
        names = sorted(path.name for path in (self.workspace / "services").iterdir())
        self.services = [Service(name, self.workspace) for name in names]
        self.running = []
        for service in self.services:
            service.system = self

    def __enter__(self):
        self.data = Path(tempfile.mkdtemp(prefix="judges-"))
        # All are taken before one is given back, so that they differ.
        taken = [socket.create_server(("127.0.0.1", 0)) for _ in self.services]
        for service, listener in zip(self.services, taken, strict=True):
            service.port = listener.getsockname()[1]
            listener.close()
        for service in self.services:
            self.launch(service)
        for service in self.services:
            self.ready(service)
        return self

    def launch(self, service):
        environment = {f"{other.variable}_URL": other.url for other in self.services}
        environment |= {
            f"{service.variable}__SERVER__LISTEN": f"127.0.0.1:{service.port}",
            f"{service.variable}__SERVER__TIMEOUT": f"{self.timeout}s",
            f"{service.variable}__SERVER__INPUT_IDLE": f"{self.timeout}s",
            "DATABASE_URL": f"sqlite:{self.data / service.name}.db",
            "BROKER_URL": f"sqlite:{self.data / 'queue.db'}",
            "RUST_LOG": "warn",
        }
        with open(self.log(service), "ab") as log:
            process = subprocess.Popen(
                [self.programs / service.name],
                env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        self.running.append((service, process))

    def ready(self, service):
        end = time.monotonic() + START
        while True:
            try:
                with urllib.request.urlopen(f"{service.url}/-/ready", timeout=5):
                    return
            except OSError as error:
                if time.monotonic() > end:
                    log = self.log(service).read_text()
                    raise SystemExit(f"{service.name} is not ready: {error}\n{log}") from error
                time.sleep(0.1)

    def log(self, service):
        return self.data / f"{service.name}.log"

    def memory(self, service):
        """Bytes that a service holds in memory, where the system tells."""
        process = next(process for other, process in self.running if other.name == service.name)
        status = Path(f"/proc/{process.pid}/statm")
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0

    def troubles(self):
        """What no service may have done, whatever it was asked: ended, or panicked."""
        found = []
        for service, process in self.running:
            if process.poll() is not None:
                found.append(f"{service.name} has ended with {process.returncode}")
            panics = [line for line in self.log(service).read_text(errors="replace").splitlines() if "panicked" in line]
            found += [f"{service.name}: {line}" for line in panics[:5]]
        return found

    def __exit__(self, *_):
        for _, process in self.running:
            process.kill()
            process.wait()
        shutil.rmtree(self.data, ignore_errors=True)
