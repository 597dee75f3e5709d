using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Dcap;

/// <summary>Intel's root of SGX and TDX certificates, as pinned in this assembly.</summary>
internal static class IntelAnchors
{
    /// <summary>The name of an <see cref="Anchor"/> that replaces it, for TDX or SGX.</summary>
    public const string RootName = "intel-sgx-root";

    private const string Resource = "Cloister.Attestation.Dcap.Intel_SGX_Root_CA.der";

    private static readonly Lazy<Certificate> Pinned = new(() => CertificateParser.Parse(ReadPinned()).Value);

    /// <summary>The root in force: the caller's for this kind, or the pinned one.</summary>
    /// <exception cref="ArgumentException">The caller's is not a certificate.</exception>
    public static Certificate Root(Anchors anchors, TeeKind kind)
    {
        if (anchors.Items.IsDefaultOrEmpty) return Pinned.Value;
        foreach (Anchor anchor in anchors.Items)
        {
            if (anchor.Kind != kind || anchor.Name != RootName) continue;
            Outcome<Certificate> root = CertificateParser.ParseAny(anchor.Bytes);
            return root.IsAccepted ? root.Value : throw new ArgumentException($"The anchor {RootName} is not a certificate: {root.Reason}.", nameof(anchors));
        }
        return Pinned.Value;
    }

    /// <summary>The pinned certificate, DER.</summary>
    public static byte[] ReadPinned()
    {
        using Stream stream = typeof(IntelAnchors).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException("The assembly was built without Intel's root certificate.");
        var der = new byte[stream.Length];
        stream.ReadExactly(der);
        return der;
    }
}
