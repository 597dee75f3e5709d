using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.SevSnp;

/// <summary>AMD's root keys (ARK), one a product line, and the authorities below them that need not be fetched (ASK, ASVK).</summary>
internal sealed class SnpRoots
{
    private static readonly string[] Kinds = ["ark", "ask", "asvk"];
    private static readonly SnpProduct[] Products = [SnpProduct.Milan, SnpProduct.Genoa, SnpProduct.Turin];

    private readonly ImmutableArray<Certificate> _given;
    private readonly ConcurrentDictionary<SnpProduct, ImmutableArray<Certificate>> _pinned = new();

    private SnpRoots(ImmutableArray<Certificate> given) => _given = given;

    /// <summary>The roots that replace the pinned ones, or those. An anchor that is no certificate is the caller's mistake.</summary>
    public static SnpRoots From(Anchors anchors) => new(anchors.Items.IsDefault ? [] : [.. anchors.Items.Where(one => one.Kind == TeeKind.SevSnp).Select(one => Parse(one.Name, one.Bytes))]);

    /// <summary>Names of the pinned certificates.</summary>
    public static IEnumerable<string> PinnedNames => Products.SelectMany(NamesOf);

    /// <summary>A pinned certificate, DER.</summary>
    public static byte[] PinnedBytes(string name)
    {
        using Stream stream = typeof(SnpRoots).Assembly.GetManifestResourceStream($"Cloister.Attestation.SevSnp.Roots.{name}.der") ?? throw new InvalidOperationException($"The assembly lacks its root '{name}'.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The root of a product line; null if there is none.</summary>
    public Certificate? Of(SnpProduct product)
    {
        string name = $"ARK-{product}";
        foreach (Certificate one in All(product))
            if (one.IsSelfIssued && one.SubjectCommonName == name) return one;
        return null;
    }

    /// <summary>Authorities that come with the roots. They are checked as if they came from anybody.</summary>
    public IEnumerable<Certificate> Authorities(SnpProduct product) => All(product).Where(one => !one.IsSelfIssued);

    // Only the line that is asked for is read: one verification should not pay for the others.
    private ImmutableArray<Certificate> All(SnpProduct product) => !_given.IsEmpty
        ? _given
        : _pinned.GetOrAdd(product, static line => [.. NamesOf(line).Select(name => Parse(name, PinnedBytes(name)))]);

    private static IEnumerable<string> NamesOf(SnpProduct product) => Products.Contains(product) ? Kinds.Select(kind => $"{kind}-{product.ToString().ToLowerInvariant()}") : [];

    private static Certificate Parse(string name, ReadOnlyMemory<byte> bytes)
    {
        Outcome<Certificate> parsed = CertificateParser.ParseAny(bytes);
        return parsed.IsAccepted ? parsed.Value : throw new ArgumentException($"The anchor '{name}' is not a certificate: {parsed.Field}: {parsed.Reason}.", nameof(bytes));
    }
}
