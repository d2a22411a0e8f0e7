#!/bin/busybox sh
# The first process of the machine: what a terminal's init does, and nothing more.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null

ifconfig lo up
ifconfig eth0 10.0.2.15 up
route add default gw 10.0.2.2

mount -t ubifs ubi0:data /var/lib/reversald || poweroff -f
echo "machine: $(uname -srm), $(grep ubifs /proc/mounts)"

# The cable of a technician: a USB adapter whose other end is outside this machine,
# joined to the USB port that this machine is a gadget on. Both are real drivers.
cable() {
	while [ ! -e /dev/ttyUSB0 ] || [ ! -e /dev/ttyACM0 ] || [ ! -e /dev/ttyGS0 ]; do
		sleep 0.1
	done
	for port in /dev/ttyUSB0 /dev/ttyACM0 /dev/ttyGS0; do
		stty -F $port raw -echo
	done
	cat /dev/ttyUSB0 >/dev/ttyACM0 &
	cat /dev/ttyACM0 >/dev/ttyUSB0 &
	[ -e /etc/reversald/console ] && return
	# No console of its own yet: what comes in is a command, what it prints goes out.
	while read -r line; do
		sh -c "$line" 2>&1
		echo "end of answer"
	done </dev/ttyGS0 >/dev/ttyGS0
}
cable &

echo "machine: starting reversald"
while true; do
	reversald run --config /etc/reversald/reversald.yaml 2>&1
	echo "machine: reversald ended with $?"
	sleep 1
done
