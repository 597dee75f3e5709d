namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>Event types (TCG PC Client Platform Firmware Profile, 10.4.1). A type is not measured: it only says how to read an event.</summary>
public enum TcgEventType : uint
{
    /// <summary>Informs only: is not extended.</summary>
    NoAction = 0x03,
    /// <summary>The end of one boot phase in one PCR.</summary>
    Separator = 0x04,
    /// <summary>A text that says what was done.</summary>
    Action = 0x05,
    /// <summary>An identifier and data of whoever measures.</summary>
    EventTag = 0x06,
    /// <summary>The root of trust's own code.</summary>
    CrtmContents = 0x07,
    /// <summary>The root of trust's version.</summary>
    CrtmVersion = 0x08,
    /// <summary>What a boot loader measures.</summary>
    Ipl = 0x0D,
    /// <summary>A UEFI variable of the Secure Boot configuration.</summary>
    EfiVariableDriverConfig = 0x80000001,
    /// <summary>A UEFI variable of the boot order.</summary>
    EfiVariableBoot = 0x80000002,
    /// <summary>The Authenticode digest of a UEFI application.</summary>
    EfiBootServicesApplication = 0x80000003,
    /// <summary>The Authenticode digest of a UEFI driver.</summary>
    EfiBootServicesDriver = 0x80000004,
    /// <summary>The Authenticode digest of a UEFI runtime driver.</summary>
    EfiRuntimeServicesDriver = 0x80000005,
    /// <summary>The partition table.</summary>
    EfiGptEvent = 0x80000006,
    /// <summary>A text that says what the firmware did.</summary>
    EfiAction = 0x80000007,
    /// <summary>A UEFI variable of the boot order, measured once more.</summary>
    EfiVariableBoot2 = 0x8000000C,
    /// <summary>The entry of a UEFI variable that allowed an image to start.</summary>
    EfiVariableAuthority = 0x800000E0,
}

/// <summary>One event, as offsets into its log.</summary>
/// <param name="Pcr">The PCR it was extended into.</param>
/// <param name="Type">How to read it.</param>
/// <param name="Digests">Where its digests start.</param>
/// <param name="Data">Where its data start.</param>
/// <param name="DataSize">Bytes of data.</param>
public readonly record struct TcgEvent(int Pcr, TcgEventType Type, int Digests, int Data, int DataSize);
