"""Says, a line each, what leaves by an interface, apart from SSH to a server."""
import socket
import struct
import sys

interface, server = sys.argv[1:]
packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
packets.bind((interface, 0))
print("ready", flush=True)
while True:
    data, (_, protocol, kind, *_) = packets.recvfrom(65536)
    if kind != socket.PACKET_OUTGOING or protocol == 0x0806:  # ARP
        continue
    if protocol != 0x0800:
        # neighbour discovery and listener reports of IPv6 itself
        if protocol == 0x86DD and data[6] in (0, 58):
            continue
        print("packet", hex(protocol), data[:48].hex(), flush=True)
        continue
    header = (data[0] & 15) * 4
    to, number = socket.inet_ntoa(data[16:20]), data[9]
    port = struct.unpack("!H", data[header + 2:header + 4])[0]
    if number == 6 and (to, port) == (server, 22) or number == 1:
        continue
    print("packet", {6: "tcp", 17: "udp"}.get(number, number), to, port, flush=True)
