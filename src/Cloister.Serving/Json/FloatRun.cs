using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Serving.Json;

/// <summary>
/// Reads the plain numbers of a list in one go: <c>d.ddd</c>, <c>ddd.ddd</c> or <c>ddd</c>, a sign or none, at most 19 digits, a comma behind and
/// perhaps a space. Sixty-four bytes at once say where the commas are, so that the numbers between them are read independently of
/// each other; the sixteen bytes before a comma are then the last digits, in their places. Whatever is written otherwise, and the
/// list's last number, is left to <see cref="FloatParser"/>, which is the definition: both give the same bits.
/// </summary>
internal static class FloatRun
{
    // All digits of a number must fit 64 bits.
    private const int MostWhole = 15, MostPlaces = 18, MostDigits = 19, Block = 64;

    private static ReadOnlySpan<byte> Keeps =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    ];

    private static ReadOnlySpan<ulong> Powers =>
    [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
        1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ];

    private static ReadOnlySpan<double> Divisors =>
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];

    /// <summary>Reads numbers from <paramref name="at"/> on into <paramref name="room"/>, from <paramref name="count"/> on.</summary>
    /// <returns>The offset of the first value that was not read.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // one call may take a megabyte: it is to be quick from the first
    public static int Read(ReadOnlySpan<byte> text, int at, Span<float> room, ref int count)
    {
        // The sixteen bytes before a comma may begin before the number does.
        if (!Ssse3.IsSupported || !Sse41.IsSupported || at < 16) return at;
        ref byte first = ref MemoryMarshal.GetReference(text);
        int done = count, last = text.Length - Block;
        while (at <= last)
        {
            ulong commas = Vector512.Equals(Vector512.LoadUnsafe(ref first, (nuint)at), Vector512.Create((byte)',')).ExtractMostSignificantBits();
            int block = at;
            for (; commas != 0; commas &= commas - 1)
            {
                int end = block + BitOperations.TrailingZeroCount(commas);
                if (done >= room.Length || !TryRead(ref first, at, end, out room[done])) goto stop;
                done++;
                at = end + 1;
            }
            if (at == block) break;
        }
    stop:
        count = done;
        return at;
    }

    /// <summary>Reads the number that lies between two commas.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryRead(ref byte first, int begin, int end, out float value)
    {
        value = 0;
        // Many writers put a space behind a comma.
        if (Unsafe.Add(ref first, begin) == ' ') begin++;
        uint sign = Unsafe.Add(ref first, begin) == '-' ? 1u << 31 : 0;
        if (sign != 0) begin++;
        int places = end - begin - 2;
        ulong mantissa = (uint)Unsafe.Add(ref first, begin) - '0';
        if (places < 1 || places > MostPlaces || mantissa > 9 || Unsafe.Add(ref first, begin + 1) != '.')
        {
            if (!TryReadParts(ref first, begin, end, out mantissa, out places)) return false;
        }
        else if (!TryReadDigits(ref first, end, places, ref mantissa)) return false;
        if (!TryRound(mantissa, places, out float magnitude)) return false;
        value = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(magnitude) | sign);
        return true;
    }

    /// <summary>A whole part of several digits, or no fraction.</summary>
    private static bool TryReadParts(ref byte first, int begin, int end, out ulong mantissa, out int places)
    {
        mantissa = 0;
        places = 0;
        int length = end - begin, point = begin;
        // A number may not begin with a needless zero.
        if (length is > 0 and <= MostWhole && TryReadDigits(ref first, end, length, ref mantissa)) return length == 1 || Unsafe.Add(ref first, begin) != '0';
        mantissa = 0;
        while (point < end && Unsafe.Add(ref first, point) != '.') point++;
        int whole = point - begin;
        if (whole is 0 or > MostWhole || point == end || (whole > 1 && Unsafe.Add(ref first, begin) == '0') || !TryReadDigits(ref first, point, whole, ref mantissa)) return false;
        places = end - point - 1;
        return places is > 0 and <= MostPlaces && whole + places <= MostDigits && TryReadDigits(ref first, end, places, ref mantissa);
    }

    /// <summary>Appends the digits before <paramref name="end"/> to a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadDigits(ref byte first, int end, int count, ref ulong number)
    {
        for (int i = end - count; i < end - 16; i++)
        {
            uint digit = (uint)Unsafe.Add(ref first, i) - '0';
            if (digit > 9) return false;
            number = (number * 10) + digit;
        }
        count = Math.Min(count, 16);
        Vector128<byte> digits = (Vector128.LoadUnsafe(ref first, (nuint)(end - 16)) - Vector128.Create((byte)'0'))
            & Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Keeps), (nuint)count);
        if (Vector128.GreaterThanAny(digits, Vector128.Create((byte)9))) return false;
        // What they are worth: pairs, fours, eights, in three steps.
        Vector128<short> pairs = Ssse3.MultiplyAddAdjacent(digits, Vector128.Create((ushort)0x010A).AsSByte());
        Vector128<int> fours = Sse2.MultiplyAddAdjacent(pairs, Vector128.Create(0x0001_0064).AsInt16());
        Vector128<ushort> packed = Sse41.PackUnsignedSaturate(fours, fours);
        ulong eights = Sse2.MultiplyAddAdjacent(packed.AsInt16(), Vector128.Create(0x0001_2710).AsInt16()).AsUInt64().ToScalar();
        number = (number * Powers[count]) + ((eights & uint.MaxValue) * 100_000_000) + (eights >> 32);
        return true;
    }

    /// <summary>Clinger's exact way, as in <see cref="FloatParser.TryRound"/>: both operands are exact, and one rounding to binary32 follows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryRound(ulong mantissa, int places, out float value)
    {
        // A double's shortest digits, which is what JavaScript and Python print, are often too many for that.
        if (mantissa > 1UL << 53) return FloatParser.TryRoundWide(mantissa, -places, out value);
        double rounded = (long)mantissa / Divisors[places];
        value = (float)rounded;
        return (BitConverter.DoubleToUInt64Bits(rounded) & 0x1FFF_FFFF) != 0x1000_0000;
    }
}
