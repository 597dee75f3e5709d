using System.Text;
using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

/// <summary>Makes nothing, and sees that what it is asked to make can be made safely.</summary>
internal sealed class RecordingBuilder : IFolderBuilder
{
    private readonly Stack<HashSet<string>> _names = new([[]]);
    private readonly HashSet<string> _files = new(StringComparer.Ordinal);
    private readonly Stack<string> _path = new();
    private long _length, _at;

    public int Entries { get; private set; }

    public void EnterFolder(ReadOnlySpan<byte> name)
    {
        Add(name);
        _path.Push(Encoding.Latin1.GetString(name));
        _names.Push(new(StringComparer.Ordinal));
    }

    public void LeaveFolder(EntryAttributes attributes)
    {
        Check(attributes);
        _names.Pop();
        _path.Pop();
    }

    public void BeginFile(ReadOnlySpan<byte> name, long length)
    {
        Add(name);
        _files.Add(string.Join('/', _path.Reverse().Append(Encoding.Latin1.GetString(name))));
        (_length, _at) = (length, 0);
    }

    public void Content(long offset, ReadOnlySpan<byte> bytes)
    {
        Assert.True(offset >= _at && bytes.Length > 0 && offset + bytes.Length <= _length);
        _at = offset + bytes.Length;
    }

    public void EndFile(EntryAttributes attributes) => Check(attributes);

    public void Link(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, EntryAttributes attributes)
    {
        Add(name);
        Assert.False(target.IsEmpty || target.Contains((byte)0));
    }

    public void FurtherName(ReadOnlySpan<byte> existing, ReadOnlySpan<byte> name)
    {
        Add(name);
        Assert.Contains(Encoding.Latin1.GetString(existing), _files);
    }

    private void Add(ReadOnlySpan<byte> name)
    {
        Entries++;
        Assert.InRange(name.Length, 1, 255);
        Assert.False(name.ContainsAny((byte)'/', (byte)0) || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8));
        Assert.True(_names.Peek().Add(Encoding.Latin1.GetString(name)));
    }

    private static void Check(EntryAttributes attributes) => Assert.Equal(0, attributes.Mode & ~0b1_111_111_111);
}
