using System.Collections.Immutable;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.SevSnp;

/// <summary>AMD's root keys (ARK), one a product line, and the authorities below them that need not be fetched (ASK, ASVK).</summary>
internal sealed class SnpRoots
{
    private static readonly string[] Files = ["ark-milan", "ask-milan", "asvk-milan", "ark-genoa", "ask-genoa", "asvk-genoa", "ark-turin", "ask-turin", "asvk-turin"];

    private readonly ImmutableArray<Certificate> _roots, _authorities;

    private SnpRoots(ImmutableArray<Certificate> all) =>
        (_roots, _authorities) = ([.. all.Where(one => one.IsSelfIssued)], [.. all.Where(one => !one.IsSelfIssued)]);

    /// <summary>Authorities that come with the roots. They are checked as if they came from anybody.</summary>
    public ImmutableArray<Certificate> Authorities => _authorities;

    /// <summary>The roots that replace the pinned ones, or those. An anchor that is no certificate is the caller's mistake.</summary>
    public static SnpRoots From(Anchors anchors)
    {
        ImmutableArray<Anchor> given = anchors.Items.IsDefault ? [] : [.. anchors.Items.Where(one => one.Kind == TeeKind.SevSnp)];
        return new SnpRoots(given.IsEmpty
            ? [.. Files.Select(name => Parse(name, PinnedBytes(name)))]
            : [.. given.Select(one => Parse(one.Name, one.Bytes))]);
    }

    /// <summary>A pinned certificate, DER.</summary>
    public static byte[] PinnedBytes(string name)
    {
        using Stream stream = typeof(SnpRoots).Assembly.GetManifestResourceStream($"Cloister.Attestation.SevSnp.Roots.{name}.der") ?? throw new InvalidOperationException($"The assembly lacks its root '{name}'.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public static IReadOnlyList<string> PinnedNames => Files;

    /// <summary>The root of a product line; null if there is none.</summary>
    public Certificate? Of(SnpProduct product)
    {
        string name = $"ARK-{product}";
        foreach (Certificate root in _roots)
            if (root.SubjectCommonName == name) return root;
        return null;
    }

    private static Certificate Parse(string name, ReadOnlyMemory<byte> bytes)
    {
        Outcome<Certificate> parsed = CertificateParser.ParseAny(bytes);
        return parsed.IsAccepted ? parsed.Value : throw new ArgumentException($"The anchor '{name}' is not a certificate: {parsed.Field}: {parsed.Reason}.", nameof(bytes));
    }
}
