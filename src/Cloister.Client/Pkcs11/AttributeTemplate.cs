using System.Runtime.InteropServices;

namespace Cloister.Client.Pkcs11;

/// <summary>An array of CK_ATTRIBUTE (type, pointer, length; without gaps on every platform) in native memory.</summary>
internal sealed unsafe class AttributeTemplate : IDisposable
{
    private byte* _memory;

    public AttributeTemplate(IReadOnlyList<(ulong Type, byte[] Value)> attributes)
    {
        int stride = (2 * sizeof(CULong)) + sizeof(void*), at = stride * attributes.Count;
        _memory = (byte*)NativeMemory.AllocZeroed((nuint)(at + attributes.Sum(attribute => attribute.Value.Length) + 1));
        byte* entry = _memory;
        foreach ((ulong type, byte[] value) in attributes)
        {
            value.CopyTo(new Span<byte>(_memory + at, value.Length));
            *(CULong*)entry = new CULong((nuint)type);
            *(void**)(entry + sizeof(CULong)) = _memory + at;
            *(CULong*)(entry + sizeof(CULong) + sizeof(void*)) = new CULong((nuint)value.Length);
            entry += stride;
            at += value.Length;
        }
    }

    public byte* Pointer => _memory;

    /// <summary>A CK_ULONG as an attribute's value.</summary>
    public static byte[] Word(ulong value)
    {
        var word = new CULong((nuint)value);
        return new ReadOnlySpan<byte>(&word, sizeof(CULong)).ToArray();
    }

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }
}
