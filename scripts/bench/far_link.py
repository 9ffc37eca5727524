"""A link between this network namespace and another one that holds every packet
back, with all that TCP makes of that. Arguments: the other namespace, the name of
both ends, and milliseconds in each direction. Says `ready` when both ends exist.
"""
import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def end_here(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(tun, TUNSETIFF, request)
    return tun


def enter(namespace):
    with open(f"/run/netns/{namespace}") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


namespace, name, delay = sys.argv[1:]
seconds = float(delay) / 1000
near = end_here(name)
enter(namespace)
far = end_here(name)
print("ready", flush=True)

under_way = {near: collections.deque(), far: collections.deque()}
other = {near: far, far: near}
while True:
    now = time.monotonic()
    for end, packets in under_way.items():
        while packets and packets[0][0] <= now:
            try:
                os.write(end, packets.popleft()[1])
            except OSError:
                pass  # no longer up: lost
    due = min((p[0][0] for p in under_way.values() if p), default=None)
    patience = None if due is None else max(0, due - time.monotonic())
    for end in select.select([near, far], [], [], patience)[0]:
        arrived = time.monotonic()
        for _ in range(64):
            try:
                packet = os.read(end, 65536)
            except BlockingIOError:
                break
            under_way[other[end]].append((arrived + seconds, packet))
