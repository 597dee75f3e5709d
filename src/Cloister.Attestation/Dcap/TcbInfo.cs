using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Cloister.Attestation.Dcap;

/// <summary>One state of a platform that Intel speaks of.</summary>
/// <param name="SgxComponents">16 security versions, as in the PCK certificate.</param>
/// <param name="TdxComponents">16 security versions, as in TEE_TCB_SVN; empty for SGX.</param>
/// <param name="PceSvn">The provisioning certification enclave's security version.</param>
/// <param name="Date">Issues known up to this day were addressed in this state.</param>
/// <param name="Status">What Intel says of it.</param>
/// <param name="Advisories">What applies to it.</param>
public sealed record TcbLevel(ReadOnlyMemory<byte> SgxComponents, ReadOnlyMemory<byte> TdxComponents, int PceSvn, DateTimeOffset Date, TcbStatus Status, AdvisoryList Advisories);

/// <summary>One security version of an enclave or TDX module that Intel speaks of.</summary>
/// <param name="Svn">The security version.</param>
/// <param name="Date">Issues known up to this day were addressed in it.</param>
/// <param name="Status">What Intel says of it.</param>
/// <param name="Advisories">What applies to it.</param>
public sealed record EnclaveTcbLevel(int Svn, DateTimeOffset Date, TcbStatus Status, AdvisoryList Advisories);

/// <summary>Who must have signed a TDX module, and which attributes it must have.</summary>
/// <param name="Id">Such as <c>TDX_01</c>; empty for the base module of version 0.</param>
/// <param name="MrSigner">48 bytes.</param>
/// <param name="Attributes">The bits that must be.</param>
/// <param name="AttributesMask">The bits that are compared.</param>
/// <param name="Levels">Newest first.</param>
public sealed record TdxModuleIdentity(string Id, ReadOnlyMemory<byte> MrSigner, ulong Attributes, ulong AttributesMask, ImmutableArray<EnclaveTcbLevel> Levels);

/// <summary>A list of security advisories, kept as the signed JSON has it and read when it is asked for.</summary>
/// <param name="Json">The JSON array, checked to hold texts only; empty for none.</param>
public readonly record struct AdvisoryList(ReadOnlyMemory<byte> Json)
{
    /// <summary>The names, such as <c>INTEL-SA-00615</c>.</summary>
    public ImmutableArray<string> Names()
    {
        if (Json.IsEmpty) return [];
        var names = ImmutableArray.CreateBuilder<string>();
        var reader = new Utf8JsonReader(Json.Span);
        while (reader.Read())
            if (reader.TokenType == JsonTokenType.String) names.Add(Encoding.ASCII.GetString(reader.ValueSpan));
        return names.ToImmutable();
    }
}

/// <summary>
/// What Intel says of all platforms of one FMSPC ("Get TCB Info", version 2 for SGX, version 3 for SGX and TDX). Parsing proves
/// nothing: the signature is over the exact text.
/// </summary>
public sealed record TcbInfo
{
    internal TcbInfo()
    {
    }

    /// <summary>2 or 3.</summary>
    public required int Version { get; init; }

    /// <summary>Whether it speaks of TDX; SGX otherwise.</summary>
    public required bool IsTdx { get; init; }

    /// <summary>Valid from here.</summary>
    public required DateTimeOffset IssueDate { get; init; }

    /// <summary>Valid until here.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>6 bytes: the platforms it speaks of.</summary>
    public required ReadOnlyMemory<byte> Fmspc { get; init; }

    /// <summary>2 bytes: the provisioning certification enclave.</summary>
    public required ReadOnlyMemory<byte> PceId { get; init; }

    /// <summary>Grows with each TCB recovery.</summary>
    public required long EvaluationDataNumber { get; init; }

    /// <summary>The TDX module of version 0; null for SGX.</summary>
    public required TdxModuleIdentity? Module { get; init; }

    /// <summary>TDX modules of later versions.</summary>
    public required ImmutableArray<TdxModuleIdentity> ModuleIdentities { get; init; }

    /// <summary>Highest first, whatever their order in the text.</summary>
    public required ImmutableArray<TcbLevel> Levels { get; init; }
}
