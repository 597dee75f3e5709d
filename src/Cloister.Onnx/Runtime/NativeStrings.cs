using System.Runtime.InteropServices;

namespace Cloister.Onnx.Runtime;

/// <summary>Strings as C wants them: an array of pointers to zero-ended UTF-8, in native memory.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private byte** _pointers;

    public NativeStrings(ReadOnlySpan<string> texts)
    {
        Count = texts.Length;
        _pointers = (byte**)NativeMemory.AllocZeroed((nuint)Math.Max(1, texts.Length), (nuint)sizeof(byte*));
        try
        {
            for (int i = 0; i < texts.Length; i++)
            {
                if (texts[i].Contains('\0', StringComparison.Ordinal))
                    throw new ArgumentException("A text with a zero character cannot be handed to ONNX Runtime: its C interface would cut it there.");
                _pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Count { get; }

    public byte** Pointers => _pointers;

    public byte* this[int index] => _pointers[index];

    public void Dispose()
    {
        if (_pointers is null)
            return;
        for (int i = 0; i < Count; i++)
            Marshal.FreeCoTaskMem((nint)_pointers[i]);
        NativeMemory.Free(_pointers);
        _pointers = null;
    }
}
