namespace Cloister.Attestation.Measurements;

/// <summary>How firmware starts a Unified Kernel Image; the measurements differ.</summary>
public enum BootPath
{
    /// <summary>QEMU hands it to the firmware (<c>-kernel</c>); Secure Boot is off.</summary>
    Kernel,

    /// <summary>From a disk's EFI system partition, as <c>\EFI\BOOT\BOOTX64.EFI</c>; Secure Boot is off.</summary>
    Disk,
}
