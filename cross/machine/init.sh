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

# A GPIO chip of one line, which this test pulls up when the power is to fail.
mount -t configfs config /sys/kernel/config
mkdir -p /sys/kernel/config/gpio-sim/power/bank
echo 1 >/sys/kernel/config/gpio-sim/power/live

# join USB GADGET: a USB adapter whose other end is outside this machine, joined to
# a USB port that this machine is a gadget on. Both are real drivers.
join() {
	while [ ! -e $1 ] || [ ! -e $2 ]; do
		sleep 0.1
	done
	stty -F $1 raw -echo
	stty -F $2 raw -echo
	cat $1 >$2 &
	cat $2 >$1 &
}

# The first cable is a shell for this test: what comes in is a command, what it prints
# goes out. The second, on ttyGS1, is for the console of the daemon, if it has one.
cable() {
	join /dev/ttyUSB0 /dev/ttyACM0
	join /dev/ttyUSB1 /dev/ttyACM1
	stty -F /dev/ttyGS0 raw -echo
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
