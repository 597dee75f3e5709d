using System.Collections.Immutable;

namespace Cloister.Images.Boot;

/// <summary>What init sets under /proc/sys before the agent starts. A setting that this kernel does not have or refuses ends the machine.</summary>
internal static class KernelSettings
{
    /// <summary>The settings, in order; the last one closes the kernel for modules.</summary>
    public static ImmutableArray<(string Name, string Value)> Of(bool debug) =>
    [
        // No other kernel, no keys of the console, no dump of anything.
        ("kernel/kexec_load_disabled", "1"),
        ("kernel/sysrq", "0"),
        ("kernel/ctrl-alt-del", "0"),
        ("kernel/core_pattern", "/dev/null"),
        ("fs/suid_dumpable", "0"),
        ("kernel/panic_on_oops", "1"),

        // The kernel starts no programs of its own: no rights for them, and none for modules.
        ("kernel/usermodehelper/bset", "0 0"),
        ("kernel/usermodehelper/inheritable", "0 0"),
        ("kernel/modprobe", ""),

        // Nobody looks into another process or into the kernel. 3 and 1 cannot be taken back.
        ("kernel/yama/ptrace_scope", debug ? "1" : "3"),
        ("kernel/dmesg_restrict", debug ? "0" : "1"),
        ("kernel/kptr_restrict", "2"),
        ("kernel/perf_event_paranoid", "3"),
        ("kernel/unprivileged_bpf_disabled", "1"),
        ("net/core/bpf_jit_harden", "2"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("user/max_user_namespaces", "0"),
        ("vm/unprivileged_userfaultfd", "0"),
        ("vm/mmap_min_addr", "65536"),
        ("kernel/randomize_va_space", "2"),
        ("dev/tty/ldisc_autoload", "0"),

        // Links and files of others in shared folders.
        ("fs/protected_symlinks", "1"),
        ("fs/protected_hardlinks", "1"),
        ("fs/protected_fifos", "2"),
        ("fs/protected_regular", "2"),

        // The network believes nobody and passes nothing on. Any user may listen: which ports are open, the packet filter decides.
        ("net/ipv4/ip_forward", "0"),
        ("net/ipv4/conf/all/rp_filter", "1"),
        ("net/ipv4/conf/default/rp_filter", "1"),
        ("net/ipv4/conf/all/accept_redirects", "0"),
        ("net/ipv4/conf/default/accept_redirects", "0"),
        ("net/ipv4/conf/all/secure_redirects", "0"),
        ("net/ipv4/conf/default/secure_redirects", "0"),
        ("net/ipv4/conf/all/send_redirects", "0"),
        ("net/ipv4/conf/default/send_redirects", "0"),
        ("net/ipv4/conf/all/accept_source_route", "0"),
        ("net/ipv4/conf/default/accept_source_route", "0"),
        ("net/ipv4/icmp_echo_ignore_broadcasts", "1"),
        ("net/ipv4/tcp_syncookies", "1"),
        ("net/ipv4/ip_unprivileged_port_start", "0"),

        ("kernel/modules_disabled", "1"),
    ];
}
