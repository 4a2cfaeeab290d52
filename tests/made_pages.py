"""Pages that scripts make from the code."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def assert_up_to_date(script: str) -> None:
    """Fail with what the script says when it would write its page anew."""
    command = [sys.executable, str(SCRIPTS / script), "--check"]
    environ = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    checked = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
