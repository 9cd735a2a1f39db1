"""Becomes another program whose process Linux ends (SIGTERM) when the process that started it ends, however that happens.

usage: end_with_parent.py PARENT-PID PROGRAM [ARGUMENTS]
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):  # it ended before this was said
    sys.exit(143)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]} cannot be started: {error.strerror}.")
