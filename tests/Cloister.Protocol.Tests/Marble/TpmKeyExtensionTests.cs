using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation.Tpm;
using Cloister.Protocol.Marble;

namespace Cloister.Protocol.Tests.Marble;

/// <summary>The extension that says which TPM's key was activated.</summary>
public sealed class TpmKeyExtensionTests
{
    private static readonly TpmEnrolledKey Key = new("000b" + new string('1', 64), new string('2', 64));

    [Fact]
    public void The_written_form_is_frozen()
    {
        X509Extension extension = TpmKeyExtension.Create(Key);
        Assert.False(extension.Critical);
        Assert.Equal("3046" + "0422000b" + new string('1', 64) + "0420" + new string('2', 64), Convert.ToHexStringLower(extension.RawData));
        Assert.Equal(TpmKeyExtension.ObjectIdentifier, "2.25." + BigInteger.Parse("06d1f6b7e3c1b4a559d0e2f0c8b5e71a4", NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_certificate_names_the_key_it_was_issued_with()
    {
        using X509Certificate2 with = Certificate(TpmKeyExtension.Create(Key)), without = Certificate();
        Assert.Equal(Key, TpmKeyExtension.Read(with));
        Assert.Null(TpmKeyExtension.Read(without));
    }

    [Theory]
    [InlineData("")]
    [InlineData("3000")]
    [InlineData("30044200")]
    [InlineData("30060402000b0400")]
    public void What_is_out_of_form_names_no_key(string value)
    {
        using X509Certificate2 certificate = Certificate(new X509Extension(TpmKeyExtension.ObjectIdentifier, Convert.FromHexString(value), false));
        Assert.Null(TpmKeyExtension.Read(certificate));
    }

    [Fact]
    public void Bytes_behind_the_value_name_no_key()
    {
        using X509Certificate2 certificate = Certificate(new X509Extension(TpmKeyExtension.ObjectIdentifier, [.. TpmKeyExtension.Create(Key).RawData, 0], false));
        Assert.Null(TpmKeyExtension.Read(certificate));
    }

    [Fact]
    public void Mutations_give_a_key_in_its_one_form_or_none() => Mutations.Drive(bytes => TpmKeyExtension.Fuzz(bytes), 2_000, TpmKeyExtension.Create(Key).RawData);

    private static X509Certificate2 Certificate(params X509Extension[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=workload", key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in extensions) request.CertificateExtensions.Add(extension);
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
    }
}
