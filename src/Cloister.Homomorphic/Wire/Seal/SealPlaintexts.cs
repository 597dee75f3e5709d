using System.Buffers.Binary;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>SEAL's Plaintext in coefficient form: parms_id of zeros, count, scale, coefficients below t. Coefficients above the last one written are zero.</summary>
internal static class SealPlaintexts
{
    private const string What = "plaintext";
    private const int HeadBytes = SealParameters.IdBytes + 8 + 8;

    internal static ulong[] Read(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version)
    {
        int degree = parameters.Ring.Degree;
        ulong t = parameters.Plaintext.Value;
        using SealBody body = SealBody.Open(source, HeadBytes + SealWriter.ArrayBytes(degree), What);
        version = body.Header.Version;
        SealReader reader = body.Reader(What);
        if (reader.Take(SealParameters.IdBytes, "parms_id").ContainsAnyExcept((byte)0))
            throw new HomomorphicException(HomomorphicError.SealForm, "The plaintext has a parms_id, so it holds values after the transform; coefficients are due: save it before it is transformed.");
        ulong count = reader.UInt64("number of coefficients");
        if (count > (ulong)degree) throw new HomomorphicException(HomomorphicError.SealSize, $"The plaintext has {count} coefficients; {degree} is the degree.");
        double scale = reader.Double("scale");
        if (scale != 1) throw new HomomorphicException(HomomorphicError.SealScale, $"The plaintext has scale {scale}; it is 1 in BFV.");
        ReadOnlySpan<byte> words = reader.Words("coefficients", (long)count, (long)count);
        reader.End();
        var message = new ulong[degree];
        ulong outside = 0;
        for (int i = 0; i < (int)count; i++)
        {
            message[i] = BinaryPrimitives.ReadUInt64LittleEndian(words[(i * 8)..]);
            outside |= ~((message[i] - t) >> 63) & 1 | message[i] >> 63;
        }
        return outside == 0 ? message : throw new HomomorphicException(HomomorphicError.SealResidue, $"A coefficient of the plaintext is not below the plaintext modulus {t}.");
    }

    internal static byte[] Write(ReadOnlySpan<ulong> message, RlweParameters parameters, SealVersion version, SealCompression compression)
    {
        if (message.Length > parameters.Ring.Degree) throw new ArgumentException($"The message has {message.Length} coefficients; {parameters.Ring.Degree} is the degree.", nameof(message));
        if (message.ContainsAnyExceptInRange(0UL, parameters.Plaintext.Value - 1)) throw new ArgumentException($"A coefficient of the message is not below {parameters.Plaintext.Value}.", nameof(message));
        byte[] whole = SealFormat.NewObject(HeadBytes + SealWriter.ArrayBytes(message.Length), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        writer.Take(SealParameters.IdBytes).Clear();
        writer.UInt64((ulong)message.Length);
        writer.Double(1);
        Span<byte> words = writer.Words(message.Length);
        for (int i = 0; i < message.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(words[(i * 8)..], message[i]);
        return SealBody.Close(whole, version, compression);
    }

    internal static void Fuzz(ReadOnlySpan<byte> data, RlweParameters parameters)
    {
        try
        {
            ulong[] message = Read(data, parameters, out SealVersion version);
            _ = Read(Write(message, parameters, version, SealCompression.None), parameters, out _);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }
}
