using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Simulation;
using Cloister.Platform.Tpm;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Tests;

public sealed partial class DocumentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Errors_are_those_of_the_readme() => Assert.Equal(
        Entry().Matches(await ReadmeAsync()).Select(entry => (int.Parse(entry.Groups[1].Value, CultureInfo.InvariantCulture), entry.Groups[2].Value)).Order().ToArray(),
        Enum.GetValues<PlatformError>().Select(error => ((int)error, $"{error}")).Order().ToArray());

    [Fact]
    public async Task The_readme_is_true()
    {
        string[] here = [.. (await File.ReadAllLinesAsync(Path.Combine(TestData.RepositoryRoot, "tests/Cloister.Platform.Tests/DocumentsTests.cs"))).Select(line => line.Trim().Replace("_folder[\"s\"]", "\"/run/user/1000/cloister.sock\"", StringComparison.Ordinal).Replace("tpm.Address", "\"swtpm:/run/user/1000/tpm.sock\"", StringComparison.Ordinal))];
        Assert.All(Snippet().Matches(await ReadmeAsync()).SelectMany(snippet => snippet.Groups[1].Value.Split('\n')), line => Assert.Contains(line.Trim(), here));
        using var stop = new CancellationTokenSource();
        await RunAsync(NullLogger.Instance, _folder["keys"], stop.Token);
        await SealAsync(_folder["keys"], "secret"u8.ToArray(), "data"u8.ToArray(), stop.Token);
        await Assert.ThrowsAsync<PlatformException>(() => IssueAsync(new byte[32], ECDsa.Create(ECCurve.NamedCurves.nistP256), default, stop.Token));
        await stop.CancelAsync();
    }

    [Tpm.SwtpmFact]
    public async Task The_readme_is_true_of_TPMs()
    {
        using var tpm = new Tpm.Swtpm(certified: true);
        await UseAsync(tpm, new byte[32], CancellationToken.None);
    }

    private static async Task UseAsync(Tpm.Swtpm tpm, byte[] nonce, CancellationToken cancellation)
    {
        using var device = new TpmDevice(tpm.Address);
        await device.ExtendAsync(15, TpmAlgorithm.Sha256, SHA256.HashData("ready"u8), cancellation);
        TpmReport quote = await device.QuoteAsync(nonce, TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [4, 11, 15]), cancellation);
        TpmEndorsement keys = await device.EndorsementAsync(cancellation);
        Assert.Equal(quote.Key.ToArray(), keys.AttestationKey.ToArray());

        byte[] storageKey = await device.StorageKeyAsync(cancellation), secret = "secret"u8.ToArray();
        byte[] sealedSecret = Seal(storageKey, Measurements(), secret);
        Assert.Equal(secret, await device.UnsealAsync(TpmSealedSecret.Parse(sealedSecret), default, cancellation));
    }

    private static byte[] Seal(byte[] storageKey, ImageMeasurements measurements, byte[] secret)
    {
        TpmPublic machine = TpmLayout.ParsePublic(storageKey).Value;
        byte[] file = TpmSealedSecret.SealFor(machine, measurements, BootPath.Kernel, secret).Encode();
        return file;
    }

    /// <summary>Of a machine that measured nothing, as a software TPM behind a socket shows it.</summary>
    private static ImageMeasurements Measurements() => new()
    {
        Name = "none", Product = 0, Version = 0, Debug = false, Uki = new string('0', 64), RootHash = new string('0', 64),
        Pcrs = ImmutableSortedDictionary.CreateRange<BootPath, ImmutableSortedDictionary<int, string>>([new(BootPath.Kernel, BootPrediction.Pcrs.ToImmutableSortedDictionary(pcr => pcr, _ => new string('0', 64)))]),
    };

    private static async Task<byte[]> IssueAsync(byte[] nonce, ECDsa tlsKey, byte[]? runtimeData, CancellationToken cancellation)
    {
        IEvidenceIssuer issuer = PlatformProbe.CreateIssuer(PlatformOptions.FromEnvironment());
        var binding = new Binding(AttesterRole.Workload, nonce, tlsKey.ExportSubjectPublicKeyInfo());
        EvidenceSet evidence = await issuer.IssueAsync(binding, runtimeData, cancellation);
        byte[] answer = EvidenceCodec.Encode(evidence);
        return answer;
    }

    private async Task RunAsync(NullLogger logger, string keyFolder, CancellationToken cancellation)
    {
        var options = new SimulatorOptions { SocketPath = _folder["s"], HostKeyFolder = keyFolder };
        var server = new SimulatorServer(options, logger);
        Task running = server.RunAsync(cancellation);
        await server.Listening;
        Assert.False(running.IsCompleted);
    }

    private static async Task SealAsync(string keyFolder, byte[] secret, byte[] associatedData, CancellationToken cancellation)
    {
        IPlatformSealer sealer = PlatformProbe.CreateSealer(new PlatformOptions(HostKeyFolder: keyFolder));
        byte[] wrapped = await sealer.SealAsync(secret, associatedData, cancellation);
        byte[] opened = await sealer.UnsealAsync(wrapped, associatedData, cancellation);
        Assert.Equal(secret, opened);
    }

    private static Task<string> ReadmeAsync() => File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "src/Cloister.Platform/README.md"));

    [GeneratedRegex(@"\| (\d+) \| (\w+) ")]
    private static partial Regex Entry();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
