namespace Cloister.Protocol.Templates;

/// <summary>What a template reads: MarbleRun's <c>manifest.TemplateSecrets</c>.</summary>
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
    /// <summary>Secrets in force (<c>.Secrets</c>).</summary>
    public ITemplateSecrets Secrets { get; init; } = TemplateSecrets.None;
    /// <summary>Secrets before the last rotation (<c>.Previous.Secrets</c>); MarbleRun has the same as in force where there was none.</summary>
    public ITemplateSecrets PreviousSecrets { get; init; } = TemplateSecrets.None;
    /// <summary>MarbleRun's rule for a secret that nobody has set: its parts are empty, and only a function that would write it refuses.
    /// Without it, reading any part of such a secret's value is refused (<see cref="ProtocolError.TemplateSecretUnset"/>).</summary>
    public bool UnsetIsEmpty { get; init; }
}
