"""For the scripts that run inside an interpreter with real Caffe: a job in a fork and a folder of its own.

Caffe aborts the whole process, so each job has one; what it writes to standard error is its log.
"""

import json
import os
import tempfile
import traceback


def forked(job, work):
    """What a job returns (None if it died), how its process ended, and its log.

    Args:
        job: passed to ``work``.
        work: does it, in the fork; its result goes through JSON.
    """
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            os.chdir(folder)
            os.dup2(log.fileno(), 2)
            try:
                with os.fdopen(writer, "w") as pipe:
                    json.dump(work(job), pipe)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        log.seek(0)
        return json.loads(text) if text else None, status, log.read().decode("latin-1")
