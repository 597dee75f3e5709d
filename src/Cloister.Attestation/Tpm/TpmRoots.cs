using System.Collections.Immutable;
using System.Reflection;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>The pinned authorities of TPM keys: Google's for its virtual TPMs. Others are given as <see cref="Anchors"/> of kind Tpm.</summary>
public static class TpmRoots
{
    private const string Prefix = "Cloister.Attestation.Tpm.Roots.", RootMark = "_root";

    private static readonly Lazy<(ImmutableArray<Certificate> Roots, ImmutableArray<Certificate> Intermediates)> Pinned = new(Load);

    /// <summary>Self-issued certificates that chains may end in.</summary>
    public static ImmutableArray<Certificate> Roots => Pinned.Value.Roots;

    /// <summary>Intermediates that spare an attester from sending them; each is checked up to a root as any other.</summary>
    public static ImmutableArray<Certificate> Intermediates => Pinned.Value.Intermediates;

    /// <summary>The roots in force: the given ones of this kind, or the pinned ones if none is given. An anchor that is no certificate is the caller's mistake.</summary>
    /// <exception cref="ArgumentException">An anchor cannot be read.</exception>
    internal static ImmutableArray<Certificate> Of(Anchors anchors)
    {
        ImmutableArray<Anchor> own = anchors.Items.IsDefault ? [] : [.. anchors.Items.Where(anchor => anchor.Kind == TeeKind.Tpm)];
        if (own.IsEmpty) return Roots;
        return [.. own.Select(anchor => CertificateParser.ParseAny(anchor.Bytes) is { IsAccepted: true } read
            ? read.Value
            : throw new ArgumentException($"The anchor {anchor.Name} is not a certificate.", nameof(anchors)))];
    }

    private static (ImmutableArray<Certificate> Roots, ImmutableArray<Certificate> Intermediates) Load()
    {
        Assembly assembly = typeof(TpmRoots).Assembly;
        var all = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Certificate: Read(assembly, name))).ToArray();
        return ([.. all.Where(one => one.Name.Contains(RootMark, StringComparison.Ordinal)).Select(one => one.Certificate)],
            [.. all.Where(one => !one.Name.Contains(RootMark, StringComparison.Ordinal)).Select(one => one.Certificate)]);
    }

    private static Certificate Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return CertificateParser.ParseAny(bytes).Value;
    }
}
