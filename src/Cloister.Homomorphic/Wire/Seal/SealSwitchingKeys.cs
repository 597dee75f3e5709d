using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// SEAL's KSwitchKeys: RelinKeys, with one key, from s^2 to s, and GaloisKeys, with that of element g in place (g - 1) / 2. A key is as many public keys,
/// each an object of its own, as ciphertexts have moduli; where there is none it has no such object.
/// </summary>
internal static class SealSwitchingKeys
{
    private const int HeadBytes = SealParameters.IdBytes + 8;

    internal static RelinearizationKey ReadRelinearizationKey(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version)
    {
        Dictionary<int, KeySwitchingKey> keys = Read(source, parameters, 1, 1, "relinearisation keys", out version);
        return keys.TryGetValue(0, out KeySwitchingKey? key)
            ? new RelinearizationKey(key)
            : throw new HomomorphicException(HomomorphicError.SealSwitchingKeys, "The relinearisation keys are empty.");
    }

    internal static GaloisKeys ReadGaloisKeys(ReadOnlySpan<byte> source, RlweParameters parameters, int maximumKeys, out SealVersion version)
    {
        Dictionary<int, KeySwitchingKey> keys = Read(source, parameters, parameters.Ring.Degree, maximumKeys, "Galois keys", out version);
        return new GaloisKeys(parameters, keys.Select(pair => KeyValuePair.Create(2 * pair.Key + 1, pair.Value)));
    }

    internal static byte[] Write(RelinearizationKey key, SealVersion version, SealCompression compression) =>
        Write(key.Parameters, 1, _ => key.Key, 1, version, compression);

    internal static byte[] Write(GaloisKeys keys, SealVersion version, SealCompression compression) =>
        Write(keys.Parameters, keys.Parameters.Ring.Degree, place => keys.Contains(2 * place + 1) ? keys.Key(2 * place + 1) : null, keys.Elements.Count, version, compression);

    internal static void FuzzRelinearizationKey(ReadOnlySpan<byte> data, RlweParameters parameters)
    {
        try
        {
            using RelinearizationKey key = ReadRelinearizationKey(data, parameters, out SealVersion version);
            using RelinearizationKey again = ReadRelinearizationKey(Write(key, version, SealCompression.None), parameters, out _);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    internal static void FuzzGaloisKeys(ReadOnlySpan<byte> data, RlweParameters parameters)
    {
        try
        {
            using GaloisKeys keys = ReadGaloisKeys(data, parameters, 2, out SealVersion version);
            using GaloisKeys again = ReadGaloisKeys(Write(keys, version, SealCompression.None), parameters, 2, out _);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    private static Dictionary<int, KeySwitchingKey> Read(ReadOnlySpan<byte> source, RlweParameters parameters, int maximumPlaces, int maximumKeys, string what, out SealVersion version)
    {
        RequireSpecial(parameters);
        SealParameters seal = SealParameters.Of(parameters);
        using SealBody body = SealBody.Open(source, MemberBytes(parameters, maximumPlaces, maximumKeys), what);
        version = body.Header.Version;
        SealReader reader = body.Reader(what);
        int moduli = seal.ModuliOf(reader.Take(SealParameters.IdBytes, "parms_id"), what);
        if (moduli != seal.Moduli.Count) throw new HomomorphicException(HomomorphicError.SealLevel, $"The {what} are at a level of {moduli} moduli; keys have all {seal.Moduli.Count}.");
        ulong places = reader.UInt64("number of keys");
        if (places > (ulong)maximumPlaces) throw new HomomorphicException(HomomorphicError.SealSwitchingKeys, $"The {what} have {places} places; at most {maximumPlaces} are due.");
        var keys = new Dictionary<int, KeySwitchingKey>();
        try
        {
            for (int place = 0; place < (int)places; place++)
            {
                ulong parts = reader.UInt64("number of parts");
                if (parts == 0) continue;
                if (parts != (ulong)seal.DataModuli) throw new HomomorphicException(HomomorphicError.SealSwitchingKeys, $"A key of the {what} has {parts} parts; {seal.DataModuli} are due, one for each modulus but the special one.");
                if (keys.Count == maximumKeys) throw new HomomorphicException(HomomorphicError.SealSwitchingKeys, $"The {what} are more than {maximumKeys}, the most that is allowed here. Make those alone that are needed.");
                keys.Add(place, ReadKey(ref reader, seal, parameters));
            }
            reader.End();
            return keys;
        }
        catch
        {
            foreach (KeySwitchingKey key in keys.Values) key.Dispose();
            throw;
        }
    }

    private static KeySwitchingKey ReadKey(ref SealReader reader, SealParameters seal, RlweParameters parameters)
    {
        var read = new List<PublicKey>();
        try
        {
            for (int i = 0; i < seal.DataModuli; i++)
            {
                SealReader part = reader.Nested("part of a key");
                read.Add(SealPublicKeys.ReadMembers(ref part, seal, parameters));
            }
            return new KeySwitchingKey(parameters, [.. read.Select(part => part.B)], [.. read.Select(part => part.A)], default);
        }
        catch
        {
            foreach (PublicKey part in read) part.Dispose();
            throw;
        }
    }

    private static byte[] Write(RlweParameters parameters, int places, Func<int, KeySwitchingKey?> find, int keys, SealVersion version, SealCompression compression)
    {
        SealParameters seal = SealParameters.Of(parameters);
        SealPolynomials polynomials = SealPublicKeys.Of(parameters);
        byte[] whole = SealFormat.NewObject(MemberBytes(parameters, places, keys), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        seal.Id(seal.Moduli.Count, writer.Take(SealParameters.IdBytes));
        writer.UInt64((ulong)places);
        for (int place = 0; place < places; place++)
        {
            KeySwitchingKey? key = find(place);
            writer.UInt64((ulong)(key?.Count ?? 0));
            for (int i = 0; i < key?.Count; i++)
            {
                writer.Header(SealHeader.Bytes + polynomials.MemberBytes(seeded: false));
                polynomials.Write(ref writer, seal, key.B(i), key.A(i));
            }
        }
        return SealBody.Close(whole, version, compression);
    }

    private static long MemberBytes(RlweParameters parameters, int places, int keys) =>
        HeadBytes + places * 8L + (long)keys * parameters.Basis.Count * (SealHeader.Bytes + SealPublicKeys.Of(parameters).MemberBytes(seeded: false));

    private static void RequireSpecial(RlweParameters parameters)
    {
        if (parameters.SpecialModuli == 0) throw new HomomorphicException(HomomorphicError.NoSpecialModulus, "Keys that relinearise or rotate need a special modulus; these parameters have none, in SEAL neither.");
    }
}
