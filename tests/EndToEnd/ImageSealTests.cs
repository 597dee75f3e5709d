using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Platform.Tpm;
using Cloister.Tests.Tpm;

namespace Cloister.EndToEnd;

/// <summary>`cloister image seal` as a person runs it, and a software TPM that opens what it wrote.</summary>
public sealed class ImageSealTests
{
    private static readonly byte[] Measured = SHA256.HashData("an image that never booted"u8);

    [SwtpmFact]
    public async Task A_secret_sealed_from_the_command_line_opens_once_the_image_booted()
    {
        using var tpm = new Swtpm(certified: true);
        using var device = new TpmDevice(tpm.Address);
        WriteMeasurements(tpm, debug: false);
        tpm.Write("secret", "a model's key"u8);
        tpm.Write("storage.pub", await device.StorageKeyAsync(default));
        TpmEndorsement endorsement = await device.EndorsementAsync(default);
        tpm.Write("ek.crt", endorsement.Certificate.Span);

        Ended bare = await SealAsync(tpm, "storage.pub", "bare");
        Assert.Equal(0, bare.Code);
        Assert.Contains("nobody vouches", bare.Output, StringComparison.Ordinal);
        Ended vouched = await SealAsync(tpm, "ek.crt", "vouched", "--tpm-root", tpm.In("ca/issuercert.pem"));
        Assert.True(vouched.Code == 0, vouched.Error);
        Assert.Contains("an authority that you named vouches", vouched.Output, StringComparison.Ordinal);

        foreach (string name in (string[])["bare", "vouched"])
        {
            Ended early = await UnsealAsync(tpm, name);
            Assert.Equal(4, early.Code);
            Assert.Contains("PCR 11 (", early.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(tpm.In("opened")));
        }
        await device.ExtendAsync(11, TpmAlgorithm.Sha256, Measured, default);
        foreach (string name in (string[])["bare", "vouched"])
        {
            Assert.Equal(0, (await UnsealAsync(tpm, name)).Code);
            Assert.Equal("a model's key", Encoding.ASCII.GetString(tpm.Read("opened")));
            File.Delete(tpm.In("opened"));
        }
        Assert.Equal(4, (await UnsealAsync(tpm, "secret")).Code);

        Assert.NotEqual(0, (await SealAsync(tpm, "ek.crt", "out")).Code);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=other", otherKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 other = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        tpm.Write("other.pem", Encoding.ASCII.GetBytes(other.ExportCertificatePem()));
        Ended foreign = await SealAsync(tpm, "ek.crt", "out", "--tpm-root", tpm.In("other.pem"));
        Assert.Equal(4, foreign.Code);
        Assert.Contains("refused", foreign.Error, StringComparison.Ordinal);
        Assert.Equal(4, (await SealAsync(tpm, "storage.pub", "out", "--tpm-root", tpm.In("ca/issuercert.pem"))).Code);
        Assert.Equal(4, (await SealAsync(tpm, "secret", "out")).Code);
        Assert.NotEqual(0, (await SealAsync(tpm, "storage.pub", "out", "--path", "network")).Code);
        WriteMeasurements(tpm, debug: true);
        Ended debug = await SealAsync(tpm, "storage.pub", "out");
        Assert.Equal(4, debug.Code);
        Assert.Contains("debug image", debug.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await SealAsync(tpm, "storage.pub", "out", "--debug")).Code);
        tpm.Write("measurements.json", "{}"u8);
        Assert.Equal(4, (await SealAsync(tpm, "storage.pub", "out2")).Code);
        Assert.False(File.Exists(tpm.In("out2")));
    }

    private static Task<Ended> SealAsync(Swtpm tpm, string to, string target, params string[] more) => CloisterCommand.RunAsync(
        ["image", "seal", "--measurements", tpm.In("measurements.json"), "--to", tpm.In(to), "--in", tpm.In("secret"), "--out", tpm.In(target), .. more]);

    private static Task<Ended> UnsealAsync(Swtpm tpm, string name) => CloisterCommand.RunAsync("image", "unseal", "--tpm", tpm.Address, "--in", tpm.In(name), "--out", tpm.In("opened"));

    private static void WriteMeasurements(Swtpm tpm, bool debug)
    {
        string zero = new('0', 64), image = Convert.ToHexStringLower(SHA256.HashData([.. new byte[32], .. Measured]));
        tpm.Write("measurements.json", ImageMeasurementsJson.Write(new ImageMeasurements
        {
            Name = "hello", Product = 1, Version = 2, Debug = debug, Uki = zero, RootHash = zero,
            Pcrs = ImmutableSortedDictionary.CreateRange<BootPath, ImmutableSortedDictionary<int, string>>(
                Enum.GetValues<BootPath>().Select(path => KeyValuePair.Create(path, BootPrediction.Pcrs.ToImmutableSortedDictionary(pcr => pcr, pcr => pcr == 11 ? image : zero)))),
        }));
    }
}
