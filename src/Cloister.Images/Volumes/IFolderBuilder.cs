namespace Cloister.Images.Volumes;

/// <summary>Attributes that an archive keeps of an entry.</summary>
internal readonly record struct EntryAttributes(ushort Mode, uint User, uint Group, long Modified);

/// <summary>Takes the entries of an archive in its order. Names were checked: one part, neither <c>.</c> nor <c>..</c>, none twice in a folder.</summary>
internal interface IFolderBuilder
{
    void EnterFolder(ReadOnlySpan<byte> name);

    void LeaveFolder(EntryAttributes attributes);

    void BeginFile(ReadOnlySpan<byte> name, long length);

    void Content(long offset, ReadOnlySpan<byte> bytes);

    void EndFile(EntryAttributes attributes);

    void Link(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, EntryAttributes attributes);

    /// <param name="existing">Path of the file from the top, parts joined by <c>/</c>.</param>
    /// <param name="name">The further name, in the folder that is entered.</param>
    void FurtherName(ReadOnlySpan<byte> existing, ReadOnlySpan<byte> name);
}
