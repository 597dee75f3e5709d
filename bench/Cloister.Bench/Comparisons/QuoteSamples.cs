using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation.Tpm;

namespace Cloister.Bench;

/// <summary>Real evidence from the shared test data.</summary>
internal static class QuoteSamples
{
    private static string? Folder { get; } = Find();

    public static bool Present => Folder is not null;

    public static string PathOf(string relative) => Path.Combine(Folder!, relative);

    public static byte[] Read(string relative) => File.ReadAllBytes(PathOf(relative));

    /// <summary>Every file below a folder whose name ends so, in a fixed order.</summary>
    public static byte[][] All(string relative, string ending) =>
        [.. Directory.EnumerateFiles(Path.Combine(Folder!, relative), "*" + ending, SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <summary>A recorded measured boot: quote, event log, nonce.</summary>
    public static (TpmReport Report, byte[] Log, byte[] Nonce) RecordedBoot()
    {
        using JsonDocument document = JsonDocument.Parse(Read("vtpm/quote-h.json"));
        JsonElement quote = document.RootElement;
        byte[] Hex(string name) => Convert.FromHexString(quote.GetProperty(name).GetString()!);
        ImmutableArray<TpmPcrValue> pcrs = [.. quote.GetProperty("pcrs").EnumerateObject()
            .Select(pcr => new TpmPcrValue(TpmAlgorithm.Sha256, int.Parse(pcr.Name, CultureInfo.InvariantCulture), Convert.FromHexString(pcr.Value.GetString()!)))];
        return (new TpmReport(Hex("attest"), Hex("sig"), TpmKeyForm.TpmPublic, Hex("akPub"), pcrs), Convert.FromBase64String(quote.GetProperty("eventLog").GetString()!),
            Convert.FromHexString("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"));
    }

    /// <summary>A Windows machine of Google's cloud: RSA, SHA-1, and its whole event log.</summary>
    public static (TpmReport Report, byte[] Log, byte[] Nonce) WindowsBoot()
    {
        const string name = "attestation/tpm/real/windows-gcp";
        using JsonDocument document = JsonDocument.Parse(Read($"{name}.pcrs.json"));
        ImmutableArray<TpmPcrValue> pcrs = [.. document.RootElement.GetProperty("sha1").EnumerateObject()
            .Select(pcr => new TpmPcrValue(TpmAlgorithm.Sha1, int.Parse(pcr.Name, CultureInfo.InvariantCulture), Convert.FromHexString(pcr.Value.GetString()!)))];
        byte[] attest = Read($"{name}.msg");
        return (new TpmReport(attest, Read($"{name}.sig"), TpmKeyForm.TpmPublic, Read($"{name}.pub"), pcrs), Read($"{name}.eventlog"), TpmLayout.ParseAttest(attest).Value.ExtraData.ToArray());
    }

    private static string? Find()
    {
        string folder = Environment.GetEnvironmentVariable("CLOISTER_TESTDATA") is { Length: > 0 } set ? set : Path.Combine(BenchContext.Root, "..", "shared", "data");
        return Directory.Exists(Path.Combine(folder, "attestation")) ? folder : null;
    }
}
