namespace Cloister.Attestation.Certificates;

/// <summary>
/// A certificate revocation list (RFC 5280, 5) as read, unchecked. All members are slices of <see cref="Encoded"/>, which must not
/// change. Made by <see cref="CrlParser"/> alone.
/// </summary>
public sealed class RevocationList
{
    internal RevocationList()
    {
    }

    /// <summary>The whole list, DER.</summary>
    public required ReadOnlyMemory<byte> Encoded { get; init; }

    /// <summary>What is signed: tbsCertList with its tag.</summary>
    public required ReadOnlyMemory<byte> Signed { get; init; }

    /// <summary>How it is signed.</summary>
    public required SignatureAlgorithm SignatureAlgorithm { get; init; }

    /// <summary>The signature.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The issuer's name, DER.</summary>
    public required ReadOnlyMemory<byte> Issuer { get; init; }

    /// <summary>The issuer's common name; null unless it has exactly one.</summary>
    public required string? IssuerCommonName { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset ThisUpdate { get; init; }

    /// <summary>When the next one comes at the latest.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>The list's number, the content octets of an INTEGER; empty if it has none.</summary>
    public required ReadOnlyMemory<byte> Number { get; init; }

    /// <summary>How many certificates are revoked.</summary>
    public required int Count { get; init; }

    /// <summary>The content of revokedCertificates.</summary>
    public required ReadOnlyMemory<byte> Entries { get; init; }

    /// <summary>Whether a serial number is listed.</summary>
    /// <param name="serialNumber">The content octets of its INTEGER.</param>
    public bool Lists(ReadOnlySpan<byte> serialNumber)
    {
        var entries = new DerReader(Entries);
        while (!entries.IsEmpty)
        {
            // Every entry was read when the list was parsed, so this cannot fail; if it did, the answer is the careful one.
            if (!entries.TryReadInto(DerReader.Sequence, out DerReader entry) || !entry.TryReadInteger(out ReadOnlyMemory<byte> serial)) return true;
            if (serial.Span.SequenceEqual(serialNumber)) return true;
        }
        return false;
    }
}
