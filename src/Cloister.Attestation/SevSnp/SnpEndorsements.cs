using System.Buffers.Binary;

namespace Cloister.Attestation.SevSnp;

/// <summary>Kinds of endorsements for SEV-SNP evidence. All are hints; what counts is checked up to a pinned root.</summary>
public static class SnpEndorsements
{
    /// <summary>A VCEK or VLEK certificate, DER or PEM.</summary>
    public const string SigningKey = "snp.vek";

    /// <summary>The certificates between it and AMD's root (ASK, ASVK), DER, or PEM as AMD's <c>cert_chain</c>; a root among them is passed over.</summary>
    public const string Authorities = "snp.authorities";

    /// <summary>AMD's revocation list of the product line, DER.</summary>
    public const string RevocationList = "snp.crl";

    /// <summary>The table of certificates that a host gives its guest (GHCB, SNP_GUEST_REQUEST extended; configfs-tsm's <c>auxblob</c>).</summary>
    public const string CertificateTable = "snp.certificate-table";

    private const int EntrySize = 24, MaximumEntries = 32;

    private static readonly Guid
        Vcek = new("63da758d-e664-4564-adc5-f4b93be8accd"),
        Vlek = new("a8074bc2-a25a-483e-aae6-39c045a0b8a1"),
        Ask = new("4ab7b379-bbac-4fe4-a02f-05aef327c782"),
        Crl = new("92f81bc3-5811-4d3d-97ff-d19f88dc67ea");

    /// <summary>
    /// The endorsements in a certificate table: entries of GUID, offset, length up to one that is zero. Entries that point outside
    /// of the table are passed over, as are those of kinds that are not known.
    /// </summary>
    internal static IEnumerable<Endorsement> OfTable(ReadOnlyMemory<byte> table)
    {
        for (int i = 0; i < MaximumEntries && (i + 1) * EntrySize <= table.Length; i++)
        {
            ReadOnlySpan<byte> entry = table.Span.Slice(i * EntrySize, EntrySize);
            if (!entry.ContainsAnyExcept((byte)0)) yield break;
            var name = new Guid(entry[..16]);
            uint offset = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]), length = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
            string? kind = name == Vcek || name == Vlek ? SigningKey : name == Ask ? Authorities : name == Crl ? RevocationList : null;
            if (kind is not null && length > 0 && (ulong)offset + length <= (ulong)table.Length) yield return new Endorsement(kind, table.Slice((int)offset, (int)length));
        }
    }
}
