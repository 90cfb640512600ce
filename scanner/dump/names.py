"""What the numbers in headers are called: machines, streams, notes, systems.

From elf.h, minidumpapiset.h and Breakpad's minidump_format.h. A number that stands in no table is
shown as a number: this module refuses to be the reason that anything is left out.
"""

MACHINES: dict[int, tuple[str, str]] = {
    2: ("sparc", "sparc"),
    3: ("i386", "i386"),
    4: ("m68k", "m68k"),
    8: ("mips", "mips64"),
    15: ("parisc", "parisc64"),
    18: ("sparc", "sparc"),
    20: ("ppc", "ppc"),
    21: ("ppc64", "ppc64"),
    22: ("s390", "s390x"),
    40: ("arm", "arm"),
    43: ("sparc64", "sparc64"),
    50: ("ia64", "ia64"),
    62: ("x86_64", "x86_64"),
    183: ("arm64", "arm64"),
    243: ("riscv", "riscv64"),
    258: ("loongarch", "loongarch64"),
}
"""e_machine: the name of the 32-bit and of the 64-bit kind."""

NOTES: dict[tuple[bytes, int], str] = {
    (b"CORE", 1): "NT_PRSTATUS",
    (b"CORE", 2): "NT_FPREGSET",
    (b"CORE", 3): "NT_PRPSINFO",
    (b"CORE", 4): "NT_TASKSTRUCT",
    (b"CORE", 6): "NT_AUXV",
    (b"CORE", 0x53494749): "NT_SIGINFO",
    (b"CORE", 0x46494C45): "NT_FILE",
    (b"LINUX", 0x46E62B7F): "NT_PRXFPREG",
    (b"LINUX", 0x202): "NT_X86_XSTATE",
    (b"LINUX", 0x400): "NT_ARM_VFP",
    (b"LINUX", 0x401): "NT_ARM_TLS",
    (b"LINUX", 0x405): "NT_ARM_SVE",
    (b"LINUX", 0x406): "NT_ARM_PAC_MASK",
    (b"FreeBSD", 1): "NT_PRSTATUS",
    (b"FreeBSD", 2): "NT_FPREGSET",
    (b"FreeBSD", 3): "NT_PRPSINFO",
    (b"VMCOREINFO", 0): "VMCOREINFO",
    (b"QEMU", 0): "QEMU",
}
"""Notes by owner and type (elf.h)."""

SYSTEMS = {
    b"LINUX": "linux",
    b"FreeBSD": "freebsd",
    b"NetBSD-CORE": "netbsd",
    b"OpenBSD": "openbsd",
    b"VMCOREINFO": "linux kernel",
    b"QEMU": "qemu guest",
    b"XEN CORE": "xen guest",
}
"""What the owner of a note says of the system; ``CORE`` belongs to several."""

ARCHES: dict[int, tuple[str, int]] = {
    0: ("i386", 4),
    1: ("mips", 4),
    3: ("ppc", 4),
    5: ("arm", 4),
    6: ("ia64", 8),
    9: ("x86_64", 8),
    12: ("arm64", 8),
    0x8001: ("sparc", 4),
    0x8002: ("ppc64", 8),
    0x8003: ("arm64", 8),
    0x8004: ("mips64", 8),
    0x8005: ("riscv", 4),
    0x8006: ("riscv64", 8),
}
"""PROCESSOR_ARCHITECTURE_*, Breakpad's own from 0x8000 up: name and pointer size in bytes."""

STREAMS: dict[int, str] = {
    3: "ThreadList",
    4: "ModuleList",
    5: "MemoryList",
    6: "Exception",
    7: "SystemInfo",
    8: "ThreadExList",
    9: "Memory64List",
    10: "CommentA",
    11: "CommentW",
    12: "HandleData",
    13: "FunctionTable",
    14: "UnloadedModuleList",
    15: "MiscInfo",
    16: "MemoryInfoList",
    17: "ThreadInfoList",
    18: "HandleOperationList",
    19: "Token",
    20: "JavaScriptData",
    21: "SystemMemoryInfo",
    22: "ProcessVmCounters",
    23: "IptTrace",
    24: "ThreadNames",
    0x43500001: "CrashpadInfo",
    0x47670001: "BreakpadInfo",
    0x47670002: "AssertionInfo",
    0x47670003: "LinuxCpuInfo",
    0x47670004: "LinuxProcStatus",
    0x47670005: "LinuxLsbRelease",
    0x47670006: "LinuxCmdLine",
    0x47670007: "LinuxEnviron",
    0x47670008: "LinuxAuxv",
    0x47670009: "LinuxMaps",
    0x4767000A: "LinuxDsoDebug",
}
"""MINIDUMP_STREAM_TYPE; every other type is swept under its number."""

PLATFORMS = {
    1: "windows",
    2: "windows",
    0x8000: "unix",
    0x8101: "macos",
    0x8102: "ios",
    0x8201: "linux",
    0x8202: "solaris",
    0x8203: "android",
    0x8204: "ps3",
    0x8205: "nacl",
    0x8206: "fuchsia",
}
"""VER_PLATFORM_WIN32_*, Breakpad's own from 0x8000 up."""

PROTECTIONS = {1: "", 2: "r", 4: "rw", 8: "rw", 0x10: "x", 0x20: "rx", 0x40: "rwx", 0x80: "rwx"}
"""PAGE_*: 8 and 0x80 are copy on write."""

IMAGE_MACHINES = {
    0x14C: "i386",
    0x1C4: "arm",
    0x200: "ia64",
    0x8664: "x86_64",
    0xAA64: "arm64",
}
"""IMAGE_FILE_MACHINE_* of a kernel dump's header."""

PHYSICAL = "physical memory"
"""The name of regions whose address is a physical one."""
SECONDARY = "stream secondary data"
"""The label of what drivers of Windows append to a kernel dump."""
TRAILS = "stream trailing bytes"
"""The label of what follows the end of a dump."""

CPU_TYPES = {
    7: "i386",
    12: "arm",
    18: "ppc",
    0x01000007: "x86_64",
    0x0100000C: "arm64",
    0x0200000C: "arm64",
    0x01000012: "ppc64",
}
"""CPU_TYPE_* of a Mach-O header."""
