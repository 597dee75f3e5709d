using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>A whole ciphertext as bytes (docs/formats/he-ciphertext.md): how many moduli it still has, then both parts as values.</summary>
public static class CiphertextFormat
{
    private const int HeadSize = 4;

    private static ReadOnlySpan<byte> Magic => "CLHECIPH"u8;

    /// <summary>Writes a ciphertext.</summary>
    public static byte[] Write(Ciphertext ciphertext)
    {
        var bytes = new byte[WireReader.HeaderSize + BodySize(ciphertext.Parameters, ciphertext.Basis.Count)];
        WireReader.WriteHeader(bytes, Magic, 0, ciphertext.Parameters);
        WriteBody(ciphertext, bytes.AsSpan(WireReader.HeaderSize));
        return bytes;
    }

    /// <summary>Reads a ciphertext; the caller disposes of it.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="parameters">What it must have been made with.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static Ciphertext Read(ReadOnlySpan<byte> bytes, RlweParameters parameters)
    {
        var reader = new WireReader(bytes, Magic, "The ciphertext", parameters, flags: 0);
        Ciphertext ciphertext = ReadBody(ref reader, parameters);
        try
        {
            reader.RequireLeft(0);
            return ciphertext;
        }
        catch
        {
            ciphertext.Dispose();
            throw;
        }
    }

    internal static int BodySize(RlweParameters parameters, int moduli) => HeadSize + (2 * ResiduePacking.Bytes(parameters.Basis.Slice(..moduli)));

    internal static void WriteBody(Ciphertext ciphertext, Span<byte> target)
    {
        RnsBasis basis = ciphertext.Basis;
        target[..HeadSize].Clear();
        target[0] = (byte)basis.Count;
        int size = ResiduePacking.Bytes(basis);
        ResiduePacking.Write(ciphertext.C0, basis.Count, target.Slice(HeadSize, size));
        ResiduePacking.Write(ciphertext.C1, basis.Count, target.Slice(HeadSize + size, size));
    }

    internal static Ciphertext ReadBody(ref WireReader reader, RlweParameters parameters)
    {
        ReadOnlySpan<byte> head = reader.Take(HeadSize);
        if (head[1..].ContainsAnyExcept((byte)0)) throw new HomomorphicException(HomomorphicError.WireReserved, "A ciphertext's reserved bytes are not zero.");
        if (head[0] == 0 || head[0] > parameters.Basis.Count) throw new HomomorphicException(HomomorphicError.WireLayout, $"A ciphertext says that it has {head[0]} moduli; 1 to {parameters.Basis.Count} are possible.");
        RnsBasis basis = head[0] == parameters.Basis.Count ? parameters.Basis : parameters.Basis.Slice(..head[0]);
        int size = ResiduePacking.Bytes(basis);
        ReadOnlySpan<byte> c0 = reader.Take(size), c1 = reader.Take(size);
        var ciphertext = new Ciphertext(parameters, basis);
        try
        {
            ResiduePacking.Read(c0, ciphertext.C0);
            ResiduePacking.Read(c1, ciphertext.C1);
            return ciphertext.C1.HasZeroLimb
                ? throw new HomomorphicException(HomomorphicError.Transparent, "A ciphertext is readable without the key: its second part is zero.")
                : ciphertext;
        }
        catch
        {
            ciphertext.Dispose();
            throw;
        }
    }

    /// <summary>Fuzz target: any bytes are a ciphertext, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes, RlweParameters parameters)
    {
        try
        {
            Read(bytes, parameters).Dispose();
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}
