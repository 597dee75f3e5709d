using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation.Tpm;
using Cloister.Platform.Tpm.Commands;

namespace Cloister.Platform.Tpm;

/// <summary>
/// Finds the endorsement key that the maker certified: RSA 2048, else ECC, by the certificate in NV memory (TCG EK Credential Profile).
/// The key at its persistent handle is taken if it is the certificate's, else it is made again from its template.
/// </summary>
internal static class TpmEndorsementKeys
{
    private const int MaximumCertificate = 8192, MaximumChain = 8;

    private static readonly ImmutableArray<(uint Certificate, uint Persistent, byte[] Template)> Known =
    [
        (TpmHandles.RsaCertificate, TpmHandles.RsaEndorsementKey, TpmTemplates.RsaEndorsementKey),
        (TpmHandles.EccCertificate, TpmHandles.EccEndorsementKey, TpmTemplates.EccEndorsementKey),
        (TpmHandles.EccP384Certificate, TpmHandles.EccP384EndorsementKey, TpmTemplates.EccP384EndorsementKey),
    ];

    /// <summary>Loads the certified endorsement key; without any certificate, the RSA one.</summary>
    public static async ValueTask<LoadedEndorsementKey> LoadEndorsementKeyAsync(this TpmChannel channel, CancellationToken cancellation)
    {
        foreach ((uint nv, uint persistent, byte[] template) in Known)
        {
            if (await channel.ReadCertificateAsync(nv, cancellation) is not { } certificate) continue;
            if (await channel.FindAsync(persistent, template, area => IsKeyOf(certificate, area), cancellation) is { } found)
                return new LoadedEndorsementKey(found.Key, found.Public, certificate);
        }
        (TpmObject key, byte[] area) = await channel.FindAsync(Known[0].Persistent, Known[0].Template, area => HasTemplate(area, Known[0].Template), cancellation)
            ?? throw TpmAnswer.Invalid("its endorsement key is not of the template that it was given");
        return new LoadedEndorsementKey(key, area, default);
    }

    /// <summary>The certificates between the endorsement key's and its root, as the maker stored them; usually none.</summary>
    public static async ValueTask<ImmutableArray<ReadOnlyMemory<byte>>> ReadChainAsync(this TpmChannel channel, CancellationToken cancellation)
    {
        var chain = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        foreach (uint handle in await channel.HandlesAsync(TpmHandles.FirstChainCertificate, cancellation))
        {
            if (handle > TpmHandles.LastChainCertificate || chain.Count == MaximumChain) break;
            // One index may hold several, one behind the other.
            for (ReadOnlyMemory<byte> rest = await channel.ReadCertificatesAsync(handle, cancellation); FirstOf(rest) is { } one && chain.Count < MaximumChain; rest = rest[one.Length..])
                chain.Add(one);
        }
        return chain.ToImmutable();
    }

    private static async ValueTask<(TpmObject Key, byte[] Public)?> FindAsync(this TpmChannel channel, uint persistent, byte[] template, Func<byte[], bool> isWanted, CancellationToken cancellation)
    {
        if (await channel.ReadPublicAsync(persistent, cancellation) is { } area && isWanted(area)) return (new TpmObject(channel, persistent), area);
        (TpmObject key, byte[] made) = await channel.CreatePrimaryAsync(TpmHandles.Endorsement, TpmAuthorisation.Empty, template, cancellation);
        if (isWanted(made)) return (key, made);
        await key.DisposeAsync();
        return null;
    }

    private static async ValueTask<ReadOnlyMemory<byte>?> ReadCertificateAsync(this TpmChannel channel, uint index, CancellationToken cancellation) =>
        FirstOf(await channel.ReadCertificatesAsync(index, cancellation));

    private static async ValueTask<ReadOnlyMemory<byte>> ReadCertificatesAsync(this TpmChannel channel, uint index, CancellationToken cancellation) =>
        await channel.ReadNvPublicAsync(index, cancellation) is { Size: > 0 and <= MaximumCertificate } area && (area.Attributes & TpmNvAttributes.Written) != 0
            ? await channel.ReadNvAsync(area, TpmAuthorisation.Empty, cancellation)
            : default(ReadOnlyMemory<byte>);

    // Makers pad the index behind the certificate.
    private static ReadOnlyMemory<byte>? FirstOf(ReadOnlyMemory<byte> content)
    {
        const byte sequence = 0x30;
        return content.Length > 0 && content.Span[0] == sequence && AsnDecoder.TryReadEncodedValue(content.Span, AsnEncodingRules.DER, out _, out _, out _, out int length) ? content[..length] : null;
    }

    private static bool IsKeyOf(ReadOnlyMemory<byte> certificate, byte[] area)
    {
        if (!TpmLayout.ParsePublic(area).TryGetValue(out TpmPublic? key)) return false;
        try
        {
            using X509Certificate2 parsed = X509CertificateLoader.LoadCertificate(certificate.Span);
            ReadOnlySpan<byte> bits = parsed.PublicKey.EncodedKeyValue.RawData;
            return bits.IndexOf(key.First.Span) >= 0 && (key.Second.IsEmpty || bits.IndexOf(key.Second.Span) >= 0);
        }
        catch (CryptographicException)
        {
            return false; // what lies there is no certificate, so it is none of this key
        }
    }

    // All but the key itself, which stands at the end.
    private static bool HasTemplate(byte[] area, byte[] template)
    {
        const int modulus = 2048 / 8;
        return area.Length == template.Length && area.AsSpan(..^modulus).SequenceEqual(template.AsSpan(..^modulus));
    }
}

/// <summary>A loaded endorsement key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Public">TPMT_PUBLIC.</param>
/// <param name="Certificate">Its certificate, DER; null if there is none.</param>
internal sealed record LoadedEndorsementKey(TpmObject Key, byte[] Public, ReadOnlyMemory<byte>? Certificate)
{
    /// <summary>Authorises its use once: by the endorsement hierarchy's secret if its template asks for that, else by its empty value.</summary>
    public async ValueTask<TpmAuthorisation> AuthoriseAsync(TpmChannel channel, CancellationToken cancellation)
    {
        if (TpmLayout.ParsePublic(Public).TryGetValue(out TpmPublic? key) && (key.Attributes & TpmAttributes.UserWithAuth) != 0) return TpmAuthorisation.Empty;
        TpmObject session = await channel.StartPolicyAsync(cancellation);
        await channel.PolicySecretAsync(session, TpmHandles.Endorsement, TpmAuthorisation.Empty, cancellation);
        return TpmAuthorisation.Policy(session);
    }
}
