"""Starts the emulator with everything put in. It ends when its standard input does: with whoever has started it."""

import os
import signal
import sys
import threading

from ministack.app import main

from . import (
    actions, analyzer, buses, certificates, keys, machines, networks, rights, servers, stacks, state, survey, targets, tasks,
    trials)


def _watch():
    sys.stdin.read()
    tasks.end_all()
    for record in [*state.INSTANCES.values(), *state.CLUSTERS.values()]:
        # An instance of a cluster has its cluster's.
        if "_data" in record:
            servers.stop(record["_data"])
    os.kill(os.getpid(), signal.SIGTERM)


certificates.authority(servers.root() / "authority.pem")
rights.install()
trials.install()
keys.install()
actions.install()
tasks.install()
machines.install()
stacks.install()
buses.install()
analyzer.install()
networks.install()
survey.install()
targets.install()
threading.Thread(target=_watch, daemon=True).start()
main()
