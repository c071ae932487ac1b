"""Runs in a process of its own: which nets OpenCV reads.

Reads JSON lines from standard input, ``{"name", "text"}``, and prints one line for each:
``{"name", "error"}`` with OpenCV's reason, or null. Each net lives in a fork: what OpenCV prints, and
a crash, are that net's.
"""

import json
import os
import sys
import tempfile

import cv2
import numpy


def reason(job):
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if not child:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            try:
                cv2.dnn.readNetFromCaffe(numpy.frombuffer(job["text"].encode("latin-1"), numpy.uint8))
            except Exception as error:
                os.write(2, str(error).encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not status:
            return None
        log.seek(0)
        lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    parsing = [line.split("NetParameter: ", 1)[1] for line in lines if "NetParameter: " in line]
    said = [line[2:] for line in lines if line.startswith("> ")]
    died = f"OpenCV dies of signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "no reason given"
    return (parsing or [" ".join(said)] * bool(said) or lines[-1:] or [died])[0]


for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"name": job["name"], "error": reason(job)}), flush=True)
