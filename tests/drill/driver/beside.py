"""Work that goes on beside other work; where it fails, so does what waits for it."""

import threading


class Beside:
    """Begun at once."""

    def __init__(self, work, *wanted):
        self._failed = None
        self._thread = threading.Thread(target=self._run, args=(work, wanted), daemon=True)
        self._thread.start()

    def end(self):
        """Waits for it."""
        self._thread.join()
        if self._failed:
            raise self._failed

    def _run(self, work, wanted):
        try:
            work(*wanted)
        except BaseException as failed:
            self._failed = failed
