"""Tries, from inside a measured machine and as an ordinary program, what it must not be able to do; prints what it found as one line of JSON."""
import ctypes
import errno
import json
import os
import resource
import socket
import struct
import sys
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
ALLOWED = "ALLOWED"


def attempt(work):
    """ALLOWED, or why not."""
    try:
        work()
        return ALLOWED
    except socket.timeout:
        return "timeout"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except ValueError as error:
        return str(error)


def opening(path, flags):
    def work():
        descriptor = os.open(path, flags | os.O_NONBLOCK)
        if os.fstat(descriptor).st_rdev == os.makedev(1, 3):
            os.close(descriptor)
            raise ValueError("hidden behind /dev/null")
        try:
            if flags & os.O_ACCMODE == os.O_RDONLY:
                os.read(descriptor, 16)
        finally:
            os.close(descriptor)
    return attempt(work)


def reading(path):
    return opening(path, os.O_RDONLY)


def writing(path):
    return opening(path, os.O_WRONLY)


def creating(folder):
    path = os.path.join(folder, ".probe")

    def work():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink(path)
    return attempt(work)


def call(number, *arguments):
    def work():
        ctypes.set_errno(0)
        if LIBC.syscall(ctypes.c_long(number), *arguments) == -1:
            raise OSError(ctypes.get_errno(), "")
    return attempt(work)


def forked(work):
    """As attempt, in a child: what succeeds, or kills, does not change this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.write(writer, attempt(work).encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 64).decode()
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return said or "killed by signal %d" % os.WTERMSIG(status)


def executing(path):
    def work():
        with open("/usr/bin/busybox", "rb") as source, open(path, "wb") as copy:
            copy.write(source.read())
        os.chmod(path, 0o755)
        os.execv(path, ["busybox", "true"])
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.set_inheritable(writer, False)
        os.write(writer, attempt(work).encode())
        os._exit(99)
    os.close(writer)
    said = os.read(reader, 64).decode()
    os.close(reader)
    os.waitpid(child, 0)
    return said or ALLOWED


def connecting(host, port):
    def work():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(3)
            client.connect((host, port))
    return attempt(work)


def sending(host, port):
    def work():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(3)
            client.sendto(b"\0" * 12, (host, port))
            client.recv(16)
    return attempt(work)


def sockets(family, kind, protocol=0):
    return attempt(lambda: socket.socket(family, kind, protocol).close())


def status(pid="self"):
    with open("/proc/%s/status" % pid) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def text(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError as error:
        return errno.errorcode.get(error.errno, "?")


def mounts():
    found = {}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            before, after = line.split(" - ")
            fields = before.split()
            found[fields[4]] = {"type": after.split()[0], "options": sorted(set(fields[5].split(",")) | ({"ro"} if "ro" in after.split()[2].split(",") else set()))}
    return found


def listeners():
    found = []
    for protocol in ("tcp", "tcp6"):
        if os.path.exists("/proc/net/" + protocol):
            with open("/proc/net/" + protocol) as file:
                found += ["%s:%d" % (protocol, int(line.split()[1].rsplit(":", 1)[1], 16)) for line in list(file)[1:] if line.split()[3] == "0A"]
    for protocol in ("udp", "udp6", "raw", "raw6", "packet"):
        if os.path.exists("/proc/net/" + protocol):
            with open("/proc/net/" + protocol) as file:
                found += [protocol for _ in list(file)[1:]]
    return sorted(found)


def processes():
    found = []
    for pid in sorted((int(name) for name in os.listdir("/proc") if name.isdigit())):
        try:
            lines = status(pid)
            if int(lines.get("VmSize", "0 kB").split()[0]) > 0:
                found.append({"pid": pid, "name": lines["Name"], "user": int(lines["Uid"].split()[0])})
        except (OSError, KeyError):
            pass
    return found


def devices():
    """Which devices this program may open."""
    found = []
    for folder, _, names in os.walk("/dev"):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.access(path, os.R_OK | os.W_OK):
                found.append(path)
    return sorted(found)


def privileged():
    """Programs that would run as somebody else."""
    found = []
    for folder, _, names in os.walk("/usr"):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path) and os.stat(path).st_mode & 0o6000:
                found.append(path)
    return found


SYSCTLS = ["kernel.modules_disabled", "kernel.kexec_load_disabled", "kernel.sysrq", "kernel.kptr_restrict", "kernel.dmesg_restrict", "kernel.yama.ptrace_scope",
           "kernel.unprivileged_bpf_disabled", "kernel.perf_event_paranoid", "kernel.randomize_va_space", "kernel.core_pattern", "kernel.panic_on_oops", "kernel.panic",
           "fs.suid_dumpable", "fs.protected_hardlinks", "fs.protected_symlinks", "user.max_user_namespaces", "vm.unprivileged_userfaultfd", "net.core.bpf_jit_harden",
           "net.ipv4.ip_forward"]

RDONLY, RDWR = os.O_RDONLY, os.O_RDWR
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID = 0x10000000, 0x00020000, 0x20000000


def attempts():
    me = os.getpid()
    other = [one["pid"] for one in processes() if one["pid"] not in (1, me)]
    found = {
        "read /dev/mem": reading("/dev/mem"), "read /dev/port": reading("/dev/port"), "read /dev/kmsg": reading("/dev/kmsg"), "write /dev/kmsg": writing("/dev/kmsg"),
        "read /proc/kcore": reading("/proc/kcore"), "read /proc/kallsyms addresses": ALLOWED if any(c not in "0" for c in text("/proc/kallsyms")[:16]) and text("/proc/kallsyms") not in errno.errorcode.values() else "zeros",
        "read /dev/vda": reading("/dev/vda"), "write /dev/vda": writing("/dev/vda"), "read the agent's port": reading("/dev/vport0p1"), "write the agent's port": writing("/dev/vport0p1"),
        "read /dev/tpm0": opening("/dev/tpm0", RDWR), "read /dev/tpmrm0": opening("/dev/tpmrm0", RDWR),
        "read the event log": reading("/sys/kernel/security/tpm0/binary_bios_measurements"),
        "write sysrq": writing("/proc/sysrq-trigger"), "change lockdown": writing("/sys/kernel/security/lockdown"),
        "create in /": creating("/"), "create in /usr": creating("/usr"), "create in /etc": creating("/etc"), "create in /dev": creating("/dev"),
        "create in /run": creating("/run"), "create in the configuration": creating("/cloister/config"), "create in /sys": creating("/sys"), "create in /proc": creating("/proc"),
        "mount": call(165, b"none", b"/tmp", b"tmpfs", 0, None), "remount / writable": call(165, None, b"/", None, 32, None), "unmount /tmp": call(166, b"/tmp", 2),
        "open_tree": call(428, -100, b"/", 1), "fsopen": call(430, b"tmpfs", 0), "pivot_root": call(155, b"/tmp", b"/tmp"), "chroot": call(161, b"/tmp"),
        "init_module": call(175, b"", 0, b""), "finit_module": call(313, 0, b"", 0), "delete_module": call(176, b"virtio_net", 0),
        "kexec_load": call(246, 0, 0, None, 0), "kexec_file_load": call(320, -1, -1, 0, b"", 0), "reboot": call(169, 0xfee1dead, 672274793, 0x89abcdef, None),
        "swapon": call(167, b"/dev/vda", 0), "sethostname": call(170, b"probe", 5), "settimeofday": call(164, struct.pack("qq", 1, 0), None),
        "iopl": call(172, 3), "ioperm": call(173, 0, 1, 1), "acct": call(163, b"/tmp/acct"), "syslog": call(103, 3, ctypes.create_string_buffer(64), 64),
        "bpf": call(321, 0, ctypes.create_string_buffer(128), 128), "perf_event_open": call(298, ctypes.create_string_buffer(struct.pack("II", 1, 128) + bytes(120)), 0, -1, -1, 0),
        "userfaultfd": call(323, 0), "io_uring_setup": call(425, 1, ctypes.create_string_buffer(120)), "add_key": call(248, b"user", b"probe", b"x", 1, -3),
        "keyctl": call(250, 0, -3, 0), "open_by_handle_at": call(304, -100, ctypes.create_string_buffer(64), 0),
        "mknod": attempt(lambda: os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1))),
        "setuid(0)": forked(lambda: os.setuid(0)), "setgid(0)": forked(lambda: os.setgid(0)),
        "new user namespace": forked(lambda: check(LIBC.unshare(CLONE_NEWUSER))), "new mount namespace": forked(lambda: check(LIBC.unshare(CLONE_NEWNS))),
        "ptrace process 1": call(101, PTRACE_ATTACH, 1, 0, 0), "process_vm_readv process 1": readv(1),
        "kill process 1": attempt(lambda: os.kill(1, 0)),
        "packet socket": sockets(socket.AF_PACKET, socket.SOCK_RAW), "raw socket": sockets(socket.AF_INET, socket.SOCK_RAW, 1),
        "change the packet filter": nftables(), "connect to the host": connecting("10.0.2.2", 22), "connect to the world": connecting("1.1.1.1", 443),
        "ask the host's name server": sending("10.0.2.3", 53), "execute from /tmp": executing("/tmp/busybox"), "execute from /data": executing("/data/busybox"),
        "raise the core limit": attempt(lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1))),
    }
    for name in ("mem", "environ", "maps", "root", "cwd", "exe", "fd"):
        path = "/proc/1/" + name
        found["read " + path] = attempt(lambda: os.readlink(path)) if name in ("root", "cwd", "exe") else attempt(lambda: os.listdir(path)) if name == "fd" else reading(path)
    for pid in other[:1]:
        found["read another program's environment"] = reading("/proc/%d/environ" % pid)
        found["read another program's memory"] = reading("/proc/%d/mem" % pid)
        found["ptrace another program"] = call(101, PTRACE_SEIZE, pid, 0, 0)
    for name in SYSCTLS:
        found["write " + name] = writing("/proc/sys/" + name.replace(".", "/"))
    return found


def check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "")


def readv(pid):
    buffer = ctypes.create_string_buffer(16)
    local = struct.pack("QQ", ctypes.addressof(buffer), 16)
    remote = struct.pack("QQ", 0x400000, 16)
    return call(310, pid, local, 1, remote, 1, 0)


def nftables():
    """Asks the kernel to delete all tables, over netlink (NFNL batch: begin, delete table, end)."""
    def message(kind, flags, family, resource_id, sequence):
        return struct.pack("=IHHII", 20, kind, flags, sequence, 0) + struct.pack("=BB", family, 0) + struct.pack("!H", resource_id)

    def work():
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netlink:
            netlink.settimeout(3)
            netlink.bind((0, 0))
            netlink.send(message(16, 1, 0, 10, 1) + message((10 << 8) | 2, 5, 0, 0, 2) + message(17, 1, 0, 10, 3))
            answer = netlink.recv(4096)
            code = struct.unpack_from("=i", answer, 16)[0] if struct.unpack_from("=H", answer, 4)[0] == 2 else 0
            if code != 0:
                raise OSError(-code, "")
    return attempt(work)


def main():
    # Elsewhere some of it would succeed, and change the machine.
    if not os.path.exists("/cloister/config/image.json") or os.getuid() == 0:
        sys.exit("probe.py runs inside a measured machine, as an ordinary user, and nowhere else.")
    mine = status()
    report = {
        "user": os.getuid(), "group": os.getgid(), "groups": os.getgroups(),
        "capabilities": {name: mine[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
        "noNewPrivileges": int(mine["NoNewPrivs"]), "seccomp": int(mine["Seccomp"]), "coreLimit": list(resource.getrlimit(resource.RLIMIT_CORE)),
        "lockdown": text("/sys/kernel/security/lockdown"), "commandLine": text("/proc/cmdline"), "swaps": len(text("/proc/swaps").splitlines()) - 1,
        "sysctls": {name: text("/proc/sys/" + name.replace(".", "/")) for name in SYSCTLS},
        "mounts": mounts(), "listeners": listeners(), "processes": processes(), "devices": devices(), "privileged": privileged(),
        "environment": dict(os.environ), "shells": [path for path in ("/bin/sh", "/bin/bash", "/bin/dash", "/sbin/getty", "/sbin/sulogin", "/usr/sbin/sshd", "/sbin/init") if os.path.exists(path)],
        "interfaces": sorted(os.listdir("/sys/class/net")), "threads": threading.active_count(),
        "attempts": attempts(),
    }
    json.dump(report, sys.stdout)
    sys.stdout.write("\n")


main()
