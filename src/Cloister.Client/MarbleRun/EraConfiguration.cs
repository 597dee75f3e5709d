using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;

namespace Cloister.Client.MarbleRun;

/// <summary>
/// Reference values of a MarbleRun coordinator's enclave: MarbleRun's <c>coordinator-era.json</c>. It names the enclave by
/// <c>UniqueID</c>, or by <c>ProductID</c> and <c>SecurityVersion</c> (the least), which should come with <c>SignerID</c>.
/// </summary>
public sealed record EraConfiguration
{
    /// <summary>Largest document in bytes.</summary>
    public const int MaxBytes = 64 << 10;

    private const int IdDigits = 64;

    /// <summary>Statuses of the platform that are accepted where nothing else is said, as MarbleRun's CLI has them.</summary>
    public static ImmutableArray<TcbStatus> UsualStatuses { get; } = [TcbStatus.UpToDate, TcbStatus.SWHardeningNeeded];

    /// <summary>MRENCLAVE, 64 lower-case hexadecimal digits; null for any.</summary>
    public string? UniqueId { get; init; }

    /// <summary>MRSIGNER, 64 lower-case hexadecimal digits; null for any.</summary>
    public string? SignerId { get; init; }

    /// <summary>ISVPRODID; null for any.</summary>
    public ushort? ProductId { get; init; }

    /// <summary>The least ISVSVN; null for any.</summary>
    public ushort? SecurityVersion { get; init; }

    /// <summary>Whether a debug enclave is accepted: its host reads all of it.</summary>
    public bool Debug { get; init; }

    /// <summary>Reads the document: names in any case, unknown members ignored, as MarbleRun does.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>: it is none, or names no enclave.</exception>
    public static EraConfiguration Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
            throw Malformed($"it has {json.Length} bytes; at most {MaxBytes} are read");
        EraWire wire;
        try
        {
            wire = JsonSerializer.Deserialize(json, EraJson.Default.EraWire) ?? throw Malformed("it is null");
        }
        catch (JsonException error)
        {
            throw Malformed($"not the JSON expected at {error.Path}", error);
        }
        // Zero stands for "not given", as in MarbleRun.
        var read = new EraConfiguration
        {
            UniqueId = Id(wire.UniqueID, "UniqueID"),
            SignerId = Id(wire.SignerID, "SignerID"),
            ProductId = wire.ProductID is > 0 ? wire.ProductID : null,
            SecurityVersion = wire.SecurityVersion is > 0 ? wire.SecurityVersion : null,
            Debug = wire.Debug ?? false,
        };
        if (read.UniqueId is null && (read.SignerId is null || read.ProductId is null || read.SecurityVersion is null))
            throw Malformed("it names neither a UniqueID nor SignerID, ProductID and SecurityVersion together: any enclave would do");
        return read;
    }

    /// <summary>The same as an appraisal policy. What MarbleRun does not look at is accepted as it is.</summary>
    /// <param name="statuses">Accepted statuses of the platform.</param>
    /// <param name="advisories">Accepted advisories; null accepts any.</param>
    public SgxPolicy ToPolicy(ImmutableArray<TcbStatus> statuses, ImmutableArray<string>? advisories = null) => new()
    {
        MrEnclave = UniqueId is { } enclave ? Requirement.Exactly(enclave) : Requirement.Any<string>(),
        MrSigner = SignerId is { } signer ? Requirement.Exactly(signer) : Requirement.Any<string>(),
        ProductId = ProductId is { } product ? Requirement.Exactly<long>(product) : Requirement.Any<long>(),
        Svn = SecurityVersion is { } version ? Requirement.AtLeast<long>(version) : Requirement.Any<long>(),
        ConfigId = Requirement.Any<string>(),
        ConfigSvn = Requirement.Any<long>(),
        FamilyId = Requirement.Any<string>(),
        ExtendedProductId = Requirement.Any<string>(),
        Flags = BitRequirement.Any,
        Xfrm = BitRequirement.Any,
        AllowDebug = Debug,
        AllowProvisionKey = true,
        Tcb = new TcbPolicy(statuses, advisories, Requirement.Any<long>(), 0, true, true, true, TrailingBytes.Zeros),
    };

    private static string? Id(string? text, string member)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        return text.Length == IdDigits && text.All(char.IsAsciiHexDigit) ? text.ToLowerInvariant() : throw Malformed($"{member} is not {IdDigits} hexadecimal digits");
    }

    private static ClientException Malformed(string why, Exception? inner = null) => new(ClientError.AnswerMalformed, $"This is no coordinator-era.json: {why}.", inner);

    /// <summary>Fuzz target: any bytes are a configuration that names an enclave, or refused with a <see cref="ClientException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            EraConfiguration read = Read(json);
            if (read.UniqueId is null && read.SignerId is null)
                throw new InvalidOperationException("A configuration names no enclave.");
        }
        catch (ClientException refused) when (refused.Error == ClientError.AnswerMalformed)
        {
            // The documented refusal.
            return;
        }
    }
}

internal sealed record EraWire(string? UniqueID = null, string? SignerID = null, ushort? ProductID = null, ushort? SecurityVersion = null, bool? Debug = null);

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, MaxDepth = 8)]
[JsonSerializable(typeof(EraWire))]
internal sealed partial class EraJson : JsonSerializerContext;
