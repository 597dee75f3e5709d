using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Sealing;

namespace Cloister.Platform.Tpm;

/// <summary>
/// A secret that one TPM opens, and only while its PCRs have certain values (docs/formats/tpm-sealed-secret.md). It is confidential, not
/// authentic: whoever knows the TPM's public key can make one.
/// </summary>
/// <param name="IsImport">Whether it was made elsewhere, for TPM2_Import.</param>
/// <param name="Pcrs">The values that open it, SHA-256 bank.</param>
/// <param name="Parent">The name of the TPM's key that it is sealed to.</param>
/// <param name="Unique">The digest that stands for the TPM's own part of it.</param>
/// <param name="Private">The TPM's own part, encrypted.</param>
/// <param name="EncryptedSeed">For an import: what the TPM opens first. Else empty.</param>
/// <param name="Payload">The secret under the key that the TPM holds (docs/formats/key-wrap.md).</param>
public sealed record TpmSealedSecret(
    bool IsImport,
    ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Pcrs,
    ReadOnlyMemory<byte> Parent,
    ReadOnlyMemory<byte> Unique,
    ReadOnlyMemory<byte> Private,
    ReadOnlyMemory<byte> EncryptedSeed,
    ReadOnlyMemory<byte> Payload)
{
    /// <summary>Most bytes of a secret.</summary>
    public const int MaximumSecret = 1 << 20;

    internal const int KeySize = KeyWrap.KeySize;

    private const ushort Version = 1, Sealed = 1, Import = 2;
    private const int DigestSize = SHA256.HashSizeInBytes, MaximumName = 66, MaximumPrivate = 1024, MaximumSeed = 512;

    private static ReadOnlySpan<byte> Magic => "CLOISTER TPM SEAL"u8;

    /// <summary>Seals a secret to a TPM that is not here, and to values that its PCRs need never have had.</summary>
    /// <param name="parent">Its storage or endorsement key. Know that it is a TPM's: whoever made the key reads the secret.</param>
    /// <param name="pcrs">The values, SHA-256 bank; at least one.</param>
    /// <param name="secret">1 byte to <see cref="MaximumSecret"/>; stays the caller's to zero.</param>
    /// <param name="associatedData">What it belongs to; opening needs the same bytes.</param>
    /// <exception cref="ArgumentException">The parent is no storage key, or a size is wrong.</exception>
    public static TpmSealedSecret SealFor(TpmPublic parent, ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> pcrs, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> associatedData = default)
    {
        ArgumentNullException.ThrowIfNull(parent);
        byte[] policy = TpmPcrPolicy.Digest(TpmAlgorithm.Sha256, pcrs), key = RandomNumberGenerator.GetBytes(KeySize);
        try
        {
            var import = TpmImport.Seal(parent, policy, key);
            return new TpmSealedSecret(true, pcrs, parent.Name, import.Public[^DigestSize..], import.Duplicate, import.EncryptedSeed, Wrap(key, secret, associatedData));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Seals a secret to a TPM and to an image that need not have booted yet.</summary>
    /// <param name="parent">The TPM's storage or endorsement key.</param>
    /// <param name="image">What the TPM will show when the image boots.</param>
    /// <param name="path">How it will boot.</param>
    /// <param name="secret">1 byte to <see cref="MaximumSecret"/>.</param>
    /// <param name="associatedData">What it belongs to.</param>
    /// <exception cref="ArgumentException">The image has no such boot path, the parent is no storage key, or a size is wrong.</exception>
    public static TpmSealedSecret SealFor(TpmPublic parent, ImageMeasurements image, BootPath path, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> associatedData = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (!image.Pcrs.TryGetValue(path, out ImmutableSortedDictionary<int, string>? predicted)) throw new ArgumentException($"The measurements have no boot path {path}.", nameof(path));
        return SealFor(parent, predicted.ToImmutableSortedDictionary(pcr => pcr.Key, pcr => (ReadOnlyMemory<byte>)Convert.FromHexString(pcr.Value)), secret, associatedData);
    }

    /// <summary>TPMT_PUBLIC of the TPM's part.</summary>
    internal byte[] PublicArea() => TpmTemplates.SealedData(PolicyDigest(), Unique.Span, IsImport);

    internal byte[] PolicyDigest() => TpmPcrPolicy.Digest(TpmAlgorithm.Sha256, Pcrs);

    internal TpmPcrSelection Selection => TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, Pcrs.Keys);

    /// <summary>Writes it.</summary>
    public byte[] Encode()
    {
        byte[] head = new byte[Magic.Length + 8];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(Magic.Length), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(Magic.Length + 2), IsImport ? Import : Sealed);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(Magic.Length + 4), Selection.Mask);
        byte[] encoded = [.. head, .. Pcrs.Values.SelectMany(value => value.ToArray()), .. Unique.Span, .. Prefixed(Parent), .. Prefixed(Private), .. Prefixed(EncryptedSeed), .. Prefixed(Payload)];
        _ = Parse(encoded);
        return encoded;
    }

    /// <summary>Reads one, hostile. One secret has one form.</summary>
    /// <exception cref="PlatformException"><see cref="PlatformError.TpmSealedInvalid"/>.</exception>
    public static TpmSealedSecret Parse(ReadOnlyMemory<byte> bytes)
    {
        const int most = Int16.MaxValue + MaximumSecret;
        if (bytes.Length > most) throw Invalid($"more than {most} bytes");
        int at = 0;
        if (!Take(Magic.Length).Span.SequenceEqual(Magic)) throw Invalid("it does not begin as one");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(Take(2).Span);
        if (version != Version) throw Invalid($"version {version}; this program reads version {Version}");
        ushort form = BinaryPrimitives.ReadUInt16LittleEndian(Take(2).Span);
        if (form is not (Sealed or Import)) throw Invalid($"form {form} is not known");
        uint mask = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);
        if (mask == 0 || mask >> TpmLayout.PcrCount != 0) throw Invalid("it names no PCR, or one above 23");
        var pcrs = ImmutableSortedDictionary.CreateBuilder<int, ReadOnlyMemory<byte>>();
        foreach (int pcr in TpmPcrPolicy.PcrsOf(new TpmPcrSelection(TpmAlgorithm.Sha256, mask)))
            pcrs.Add(pcr, Take(DigestSize));
        ReadOnlyMemory<byte> unique = Take(DigestSize), parent = Sized(MaximumName), privatePart = Sized(MaximumPrivate), seed = Sized(MaximumSeed), payload = Sized(MaximumSecret + KeyWrap.Overhead);
        if (at != bytes.Length) throw Invalid($"{bytes.Length - at} bytes follow its end");
        if (parent.IsEmpty || privatePart.IsEmpty || seed.IsEmpty == (form == Import) || payload.Length <= KeyWrap.Overhead) throw Invalid("a part is empty, or one too many is there");
        return new TpmSealedSecret(form == Import, pcrs.ToImmutable(), parent, unique, privatePart, seed, payload);

        ReadOnlyMemory<byte> Take(int count)
        {
            if (count > bytes.Length - at) throw Invalid("it ends before a field does");
            at += count;
            return bytes.Slice(at - count, count);
        }

        ReadOnlyMemory<byte> Sized(int atMost)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);
            return size <= atMost ? Take((int)size) : throw Invalid("a part is longer than any");
        }
    }

    /// <summary>Fuzz target: what is read is written back to the same bytes, or refused.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (!Parse(bytes.ToArray()).Encode().AsSpan().SequenceEqual(bytes)) throw new InvalidOperationException("Two forms of one secret.");
        }
        catch (PlatformException refused) when (refused.Error == PlatformError.TpmSealedInvalid)
        {
            return;
        }
    }

    internal static byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> associatedData)
    {
        if (secret.Length is 0 or > MaximumSecret) throw new ArgumentException($"A secret has 1 to {MaximumSecret} bytes.", nameof(secret));
        return KeyWrap.Wrap(key, secret, Bind(associatedData));
    }

    /// <exception cref="PlatformException"><see cref="PlatformError.TpmSealedInvalid"/>: it was changed, or belongs to something else.</exception>
    internal byte[] Unwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData) =>
        key.Length == KeySize && KeyWrap.TryUnwrap(key, Payload.Span, Bind(associatedData), out byte[]? secret)
            ? secret
            : throw Invalid("its payload was changed, or it was sealed for another purpose");

    internal static PlatformException Invalid(string reason, PlatformException? inner = null) =>
        new(PlatformError.TpmSealedInvalid, $"This is no secret sealed to a TPM: {reason}.", inner) { TpmCode = inner?.TpmCode };

    private static byte[] Bind(ReadOnlySpan<byte> associatedData) => [.. "cloister/tpm-sealed-secret/v1\0"u8, .. associatedData];

    private static byte[] Prefixed(ReadOnlyMemory<byte> part)
    {
        var prefixed = new byte[sizeof(int) + part.Length];
        BinaryPrimitives.WriteInt32LittleEndian(prefixed, part.Length);
        part.CopyTo(prefixed.AsMemory(sizeof(int)));
        return prefixed;
    }
}
