namespace Cloister.Attestation.Tpm;

/// <summary>What is measured into which PCR (TCG PC Client Platform Firmware Profile, 2.3.4; Linux TPM PCR Registry), for messages.</summary>
public static class TpmPcrMeaning
{
    /// <summary>In words, such as <c>the boot loader or kernel</c>.</summary>
    public static string Of(int pcr) => pcr switch
    {
        0 => "the firmware",
        1 => "the firmware's configuration",
        2 or 3 => "an option ROM or its configuration",
        4 => "the boot loader or kernel",
        5 => "the partition table or the boot loader's configuration",
        7 => "the Secure Boot configuration",
        8 => "GRUB's commands or the kernel's command line",
        9 => "a file that the boot loader read, the initrd or the load options",
        10 => "the integrity measurement list",
        11 => "the unified kernel image or systemd's phase",
        12 => "the overridden command line, or credentials",
        14 => "the machine owner's keys",
        _ => "its content",
    };
}
