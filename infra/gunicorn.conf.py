"""What every gunicorn of Haihe has in common; processes, threads and address come from whoever starts it."""

import os

from prometheus_client import multiprocess

worker_class = "gthread"
threads = 8
timeout = 60
# Longer than the longest request: a statement may take 15 s, and a command is tried three times.
graceful_timeout = 50
keepalive = 15
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
forwarded_allow_ips = "127.0.0.1,::1"
accesslog = None
errorlog = "-"
loglevel = "warning"


def child_exit(server, worker):
    """Takes what a dead process measured last out of the sums."""
    multiprocess.mark_process_dead(worker.pid)
