using System.Buffers;

namespace Cloister.Sealing;

/// <summary>
/// Which names may stand in a sealed file. A name becomes a path in somebody's program one day, so only what is a plain relative path on every
/// system passes: printable ASCII, which also rules out two spellings of one name and text that displays as another.
/// </summary>
internal static class EntryNames
{
    private static readonly string[] Devices = ["CON", "PRN", "AUX", "NUL"];
    private static readonly SearchValues<char> Forbidden = SearchValues.Create("\\:*?\"<>|");

    /// <exception cref="SealingException">A name is empty, unsafe or taken.</exception>
    public static void Check(IEnumerable<string> names)
    {
        var files = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var folders = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in names)
        {
            CheckOne(name);
            if (!files.Add(name))
                throw new SealingException(SealingError.DuplicateEntryName, $"Two entries are named \"{name}\" (letter case does not count). Rename one.");
            for (int slash = name.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = name.IndexOf('/', slash + 1))
                folders.Add(name[..slash]);
        }
        if (files.FirstOrDefault(folders.Contains) is { } both)
            throw new SealingException(SealingError.DuplicateEntryName, $"\"{both}\" is an entry and the folder of another. Rename one.");
    }

    /// <exception cref="SealingException">The content's name is empty, too long or not printable ASCII.</exception>
    public static void CheckContentName(string name)
    {
        if (name.Length is 0 or > SealedFormat.MaxNameLength || !IsPrintable(name) || name[0] == ' ' || name[^1] == ' ')
            throw new SealingException(SealingError.InvalidContentName, $"The content's name must be 1 to {SealedFormat.MaxNameLength} characters of printable ASCII without a space at its ends.");
    }

    private static void CheckOne(string name)
    {
        if (name.Length == 0)
            throw new SealingException(SealingError.EmptyEntryName, "An entry has no name.");
        if (name.Length > SealedFormat.MaxNameLength)
            throw Unsafe($"is longer than {SealedFormat.MaxNameLength} characters");
        if (!IsPrintable(name) || name.AsSpan().ContainsAny(Forbidden))
            throw Unsafe($"holds a character other than printable ASCII, or one of \\ : * ? \" < > |");
        foreach (Range segment in name.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> part = name.AsSpan()[segment];
            // Windows drops dots and spaces at the end of a name, which would also make ".. " a parent folder.
            if (IsDevice(part))
                throw Unsafe("has a part that names a device on Windows (CON, PRN, AUX, NUL, COM0 to COM9, LPT0 to LPT9)");
            if (part.IsEmpty || part[^1] is '.' or ' ' || part[0] == ' ')
                throw Unsafe("has an empty part, a part that is \".\" or \"..\", or one that begins with a space or ends with a dot or space");
        }
    }

    // A device's name stays one whatever extension follows it.
    private static bool IsDevice(ReadOnlySpan<char> part)
    {
        int dot = part.IndexOf('.');
        ReadOnlySpan<char> stem = (dot < 0 ? part : part[..dot]).TrimEnd(' ');
        foreach (string device in Devices)
        {
            if (stem.Equals(device, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return stem.Length == 4 && char.IsAsciiDigit(stem[3])
            && (stem.StartsWith("COM", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("LPT", StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsPrintable(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static SealingException Unsafe(string why) =>
        new(SealingError.UnsafeEntryName, $"An entry's name {why}. Names are relative paths of printable ASCII with '/' between folders.");
}
