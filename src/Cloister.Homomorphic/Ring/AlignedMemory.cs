using System.Runtime.InteropServices;

namespace Cloister.Homomorphic.Ring;

/// <summary>Doubles on a 64-byte boundary outside the collected heap: never moved, so never copied behind one's back, and zeroed before they are given back.</summary>
internal sealed unsafe class AlignedMemory : SafeHandle
{
    private readonly int _length;

    /// <summary>Zeroed memory for that many doubles.</summary>
    internal AlignedMemory(int length)
        : base(0, ownsHandle: true)
    {
        _length = length;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)length * sizeof(double), 64));
        Span.Clear();
    }

    public override bool IsInvalid => handle == 0;

    internal double* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (double*)handle;
        }
    }

    internal Span<double> Span => new(Pointer, _length);

    protected override bool ReleaseHandle()
    {
        // Through the framework's zeroing, which a compiler may not remove.
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(new Span<byte>((void*)handle, checked(_length * sizeof(double))));
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
