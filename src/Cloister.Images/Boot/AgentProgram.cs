using System.Buffers.Binary;
using System.Text;

namespace Cloister.Images.Boot;

/// <summary>
/// The agent is a dynamically linked program; what it is linked to must not depend on what else an image holds (another C library,
/// or none). So loader and libraries lie beside it, and its file names that loader instead of the system's.
/// </summary>
internal static class AgentProgram
{
    /// <summary>The agent's loader. The name is no longer than the one it takes the place of.</summary>
    public const string Loader = Folder + "/ld.so";

    /// <summary>Where the agent's libraries lie: init names it in <c>LD_LIBRARY_PATH</c>, which programs do not inherit.</summary>
    public const string Folder = "/cloister/agent";

    private const string SystemLoader = "/lib64/ld-linux-x86-64.so.2", LoaderFile = "ld-linux-x86-64.so.2";

    private const int ElfHeader = 64, ProgramHeader = 56, InterpreterType = 3;

    /// <summary>The name of a library beside the agent.</summary>
    public static string NameOf(string library) => Path.GetFileName(library) is var name && name == LoaderFile ? "ld.so" : name;

    /// <summary>The agent's file with its own loader; unchanged if it asks for none.</summary>
    /// <exception cref="ImageException">It asks for another loader than glibc's.</exception>
    public static byte[] WithOwnLoader(byte[] program)
    {
        ReadOnlySpan<byte> file = program;
        if (file.Length < ElfHeader || !file.StartsWith("\u007fELF"u8)) return program;
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(file[32..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[54..]), count = BinaryPrimitives.ReadUInt16LittleEndian(file[56..]);
        if (size != ProgramHeader || table > (ulong)file.Length || (ulong)(size * count) > (ulong)file.Length - table) throw Invalid("has no table of segments");
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file[((int)table + i * size)..];
            if (BinaryPrimitives.ReadInt32LittleEndian(header) != InterpreterType) continue;
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), length = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (length > 4096 || offset > (ulong)file.Length || length > (ulong)file.Length - offset) throw Invalid("names a loader outside the file");
            if (!file.Slice((int)offset, (int)length).SequenceEqual(Encoding.ASCII.GetBytes(SystemLoader + '\0'))) throw Invalid($"asks for another loader than {SystemLoader}");
            byte[] changed = [.. program];
            Span<byte> name = changed.AsSpan((int)offset, (int)length);
            name.Clear();
            Encoding.ASCII.GetBytes(Loader, name);
            return changed;
        }
        return program;
    }

    /// <summary>Fuzz target: throws nothing but the documented refusal.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ = WithOwnLoader(bytes.ToArray());
        }
        catch (ImageException refused) when (refused.Error == ImageError.BootPartInvalid)
        {
            return;
        }
    }

    private static ImageException Invalid(string reason) => new(ImageError.BootPartInvalid, $"The agent's program {reason}: publish it for linux-x64.");
}
