#!/bin/sh
# Gives a fresh network namespace the interfaces that sockaddr is recorded with, and runs a program there.
set -eu
ip link set lo up
ip link add eth0 address 02:00:00:00:00:01 type veth peer name eth1 address 02:00:00:00:00:02
for name in eth0 eth1; do
  ip link set "$name" addrgenmode none
  ip link set "$name" up
done
ip address add 10.1.2.3/16 dev eth0
ip address add 192.168.5.9/24 dev eth0
ip address add 52.95.110.1/24 dev eth0
ip address add fd00:1::5/64 dev eth0 nodad
ip address add 8.8.4.4/29 dev eth1
ip address add 172.16.0.200/28 dev eth1
ip address add 2600:1f14::7/64 dev eth1 nodad
ip route add default via 10.1.0.1 dev eth0
exec "$@"
