using System.Collections.Immutable;

namespace Cloister.Protocol.Templates;

/// <summary>A secret as templates see it.</summary>
/// <param name="Type">The manifest's type.</param>
/// <param name="Certificate">DER, of a certificate secret; else empty.</param>
/// <param name="Public">SubjectPublicKeyInfo of a certificate secret; the key itself of a symmetric or plain one.</param>
/// <param name="Private">PKCS#8 of a certificate secret; the key itself of a symmetric or plain one.</param>
public sealed record TemplateSecret(string Type, ReadOnlyMemory<byte> Certificate, ReadOnlyMemory<byte> Public, ReadOnlyMemory<byte> Private)
{
    /// <summary>A symmetric or plain secret.</summary>
    public static TemplateSecret OfKey(string type, ReadOnlyMemory<byte> key) => new(type, default, key, key);

    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => $"TemplateSecret({Type})";
}

/// <summary>What a template reads. A secret that is defined but not set yet is present with a null value.</summary>
public sealed record TemplateData
{
    /// <summary>DER of the marble root (<c>.MarbleRun.RootCA.Cert</c>).</summary>
    public ReadOnlyMemory<byte> MarbleRoot { get; init; }
    /// <summary>DER of the coordinator's root (<c>.MarbleRun.CoordinatorRoot.Cert</c>).</summary>
    public ReadOnlyMemory<byte> CoordinatorRoot { get; init; }
    /// <summary>DER of the coordinator's intermediate (<c>.MarbleRun.CoordinatorIntermediate.Cert</c>).</summary>
    public ReadOnlyMemory<byte> CoordinatorIntermediate { get; init; }
    /// <summary>The marble's own certificate and key (<c>.MarbleRun.MarbleCert.{Cert,Public,Private}</c>). In Cloister's mode the
    /// private key is empty: it never leaves the workload.</summary>
    public TemplateSecret? MarbleCertificate { get; init; }
    /// <summary>Secrets by name.</summary>
    public ImmutableDictionary<string, TemplateSecret?> Secrets { get; init; } = ImmutableDictionary<string, TemplateSecret?>.Empty;
}
