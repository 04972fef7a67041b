"""Runs an original command on a database and reports the peak memory on descriptor 3.

`python original.py COMMAND NOW`, with the environment that `tests/originals/oracle.py` takes.
"""

import argparse
import os
import resource
import sys
from datetime import datetime
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "originals"))

import django  # noqa: E402
import oracle  # noqa: E402


def peak_memory():
    """The process's own peak in bytes; `ru_maxrss` on Linux begins with that of its parent."""
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


command, now = sys.argv[1:]
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
django.setup()
oracle.run(
    argparse.Namespace(now=datetime.fromisoformat(now), command=command, arguments=[])
)
os.write(3, str(peak_memory()).encode())
