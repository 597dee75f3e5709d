using System.Security.Cryptography;
using Cloister.Images;
using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Agent.Disks;

/// <summary>A disk's key as an activation brings it: 64 hexadecimal digits in a file or variable.</summary>
internal static class DiskKeyText
{
    private const int KeyBytes = 32;
    private const string OfFile = "file:", OfEnvironment = "environment:";

    /// <summary>Reads the key that a disk's definition names; it is the caller's to dispose.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskKey"/>.</exception>
    public static SecretBytes Read(WorkloadParameters parameters, DataDisk disk)
    {
        SecretBytes? text = disk.Key.StartsWith(OfFile, StringComparison.Ordinal)
            ? parameters.Files.GetValueOrDefault(disk.Key[OfFile.Length..])
            : disk.Key.StartsWith(OfEnvironment, StringComparison.Ordinal) ? parameters.Environment.GetValueOrDefault(disk.Key[OfEnvironment.Length..]) : null;
        if (text is null)
            throw Refused(disk, "did not come with the activation. Give the workload's type a parameter of that name in the manifest");
        Span<byte> key = stackalloc byte[KeyBytes];
        try
        {
            return Decode(text.Span, key) ? SecretBytes.Copy(key) : throw Refused(disk, $"is not {2 * KeyBytes} hexadecimal digits. Say hex of a 256-bit secret in the manifest");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Whether a file of the activation is a disk's key, which no program gets.</summary>
    public static bool IsFile(ImageDefinition definition, string path) => definition.Disks.Any(disk => disk.Key == OfFile + path);

    /// <summary>Whether a variable of the activation is a disk's key, which no program gets.</summary>
    public static bool IsVariable(ImageDefinition definition, string name) => definition.Disks.Any(disk => disk.Key == OfEnvironment + name);

    // A template's line end is not part of a key.
    private static bool Decode(ReadOnlySpan<byte> text, Span<byte> key)
    {
        text = text.TrimEnd((byte)'\n');
        return text.Length == 2 * KeyBytes && Convert.FromHexString(text, key, out int consumed, out int written) == System.Buffers.OperationStatus.Done
            && consumed == text.Length && written == KeyBytes;
    }

    private static ImageException Refused(DataDisk disk, string why) => new(ImageError.DiskKey, $"The key of the sealed disk '{disk.Name}' ({disk.Key}) {why}.");
}
