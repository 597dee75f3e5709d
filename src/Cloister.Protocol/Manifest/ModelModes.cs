using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>How the predictions of a model are protected: words of a manifest, of a grant and of a workload's evidence.</summary>
public static class ModelModes
{
    /// <summary>The whole model runs inside the attested workload.</summary>
    public const string Enclave = "enclave";
    /// <summary>First and last layers run inside the attested workload, those between on an accelerator that nobody trusts.</summary>
    public const string Partitioned = "partitioned";
    /// <summary>Linear layers run on an accelerator that sees masked values. No program of this version does it: manifests with it are refused.</summary>
    public const string Masked = "masked";
    /// <summary>The client encrypts, and the workload computes on what it cannot read.</summary>
    public const string Encrypted = "encrypted";

    /// <summary>Every word.</summary>
    public static ImmutableArray<string> All { get; } = [Enclave, Partitioned, Masked, Encrypted];

    /// <summary>What a mode means to whoever sends data, in one line.</summary>
    /// <exception cref="ArgumentException">It is none of <see cref="All"/>.</exception>
    public static string Meaning(string mode) => mode switch
    {
        Enclave => "the whole model runs inside the attested workload",
        Partitioned => "an accelerator outside sees what the first layers make of the input; how much of the input that gives away was assessed, and is in the model's signed report",
        Masked => "an accelerator outside computes on masked values",
        Encrypted => "the input stays encrypted to everybody but its sender, the workload included",
        _ => throw new ArgumentException($"'{mode}' is no mode of a model.", nameof(mode)),
    };
}
