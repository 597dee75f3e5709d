using System.Text;
using Cloister.Images;

namespace Cloister.Agent.Disks;

/// <summary>Finds the machine's disks by the serial numbers that its host gave them: a name only, which what is on the disk has to bear out.</summary>
internal sealed class DiskDevices(string blocks = "/sys/block", string devices = "/dev")
{
    private const int MaxDevices = 256;

    /// <summary>The device of a data disk.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskMissing"/>: there is none, or more than one.</exception>
    public string Find(string name)
    {
        string[] found = Directory.Exists(blocks)
            ? [.. Directory.EnumerateDirectories(blocks).Take(MaxDevices).Where(block => SerialOf(block) == name)]
            : [];
        return found.Length == 1
            ? Path.Combine(devices, Path.GetFileName(found[0]))
            : throw new ImageException(ImageError.DiskMissing, $"The machine has {found.Length} disks '{name}', and its image wants one. Start it with the disk's file.");
    }

    private static string? SerialOf(string block)
    {
        try
        {
            using FileStream file = File.OpenRead(Path.Combine(block, "serial"));
            Span<byte> text = stackalloc byte[64];
            return Encoding.ASCII.GetString(text[..file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)]).TrimEnd('\n', '\0', ' ');
        }
        catch (IOException)
        {
            return null; // not a virtio disk
        }
    }
}
