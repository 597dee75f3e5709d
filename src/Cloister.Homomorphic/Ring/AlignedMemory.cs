using System.Runtime.InteropServices;

namespace Cloister.Homomorphic.Ring;

/// <summary>Doubles on a 64-byte boundary outside the collected heap: never moved, so never copied behind one's back, and zeroed before they are given back.</summary>
internal sealed unsafe class AlignedMemory : SafeHandle
{
    /// <summary>Zeroed memory for that many doubles.</summary>
    internal AlignedMemory(int length)
        : base(0, ownsHandle: true)
    {
        Length = length;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)length * sizeof(double), 64));
        Span.Clear();
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>How many doubles.</summary>
    internal int Length { get; }

    /// <summary>Whether the pool knows that it is zero.</summary>
    internal bool IsZero { get; set; } = true;

    internal double* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (double*)handle;
        }
    }

    internal Span<double> Span => new(Pointer, Length);

    /// <summary>Zeroes through the framework, whose zeroing a compiler may not remove.</summary>
    internal void Zero() => System.Security.Cryptography.CryptographicOperations.ZeroMemory(new Span<byte>((void*)handle, checked(Length * sizeof(double))));

    protected override bool ReleaseHandle()
    {
        Zero();
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
