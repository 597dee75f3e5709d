using System.Security.Cryptography;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;

namespace Cloister.Coordinator.Tests.Secrets;

public sealed class UploadedCertificateTests
{
    private static readonly SecretMaterial s_rsa = SecretCertificateTests.Make("cert-rsa", 2048), s_ecdsa = SecretCertificateTests.Make("cert-ecdsa", 256),
        s_ed25519 = SecretCertificateTests.Make("cert-ed25519", 0), s_otherEcdsa = SecretCertificateTests.Make("cert-ecdsa", 256);

    [Fact]
    public void Older_forms_of_keys_become_pkcs8()
    {
        using RSA rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(s_rsa.Private.Span, out _);
        Assert.Equal(s_rsa, Read("cert-rsa", s_rsa, rsa.ExportRSAPrivateKey()));
        using ECDsa ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(s_ecdsa.Private.Span, out _);
        Assert.Equal(s_ecdsa, Read("cert-ecdsa", s_ecdsa, ecdsa.ExportECPrivateKey()));
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void A_certificate_may_come_without_its_key(bool empty)
    {
        SecretMaterial? read = UploadedCertificate.Read("cert-ed25519", s_ed25519.Certificate.ToArray(), empty ? [] : null, out _);
        Assert.Equal(s_ed25519 with { Private = default }, read);
    }

    [Theory]
    [InlineData("cert-rsa"), InlineData("cert-ed25519")]
    public void Another_type_is_refused(string type) => Assert.Null(Read(type, s_ecdsa, s_ecdsa.Private.ToArray()));

    [Fact]
    public void Another_key_is_refused()
    {
        Assert.Null(Read("cert-ecdsa", s_ecdsa, s_otherEcdsa.Private.ToArray()));
        Assert.Null(Read("cert-ecdsa", s_ecdsa, s_ed25519.Private.ToArray()));
        Assert.Null(Read("cert-ed25519", s_ed25519, s_ecdsa.Private.ToArray()));
        Assert.Null(Read("cert-rsa", s_rsa, s_ecdsa.Private.ToArray()));
    }

    [Fact]
    public void What_is_not_der_is_refused()
    {
        byte[] pem = System.Text.Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE", s_ecdsa.Certificate.Span));
        Assert.Null(UploadedCertificate.Read("cert-ecdsa", pem, s_ecdsa.Private.ToArray(), out _));
        Assert.Null(UploadedCertificate.Read("cert-ecdsa", [.. s_ecdsa.Certificate.Span, 0], s_ecdsa.Private.ToArray(), out _));
        Assert.Null(UploadedCertificate.Read("cert-ecdsa", [], s_ecdsa.Private.ToArray(), out _));
        Assert.Null(Read("cert-ecdsa", s_ecdsa, [.. s_ecdsa.Private.Span, 0]));
        Assert.Null(Read("cert-ecdsa", s_ecdsa, new byte[UploadedCertificate.MaxBytes + 1]));
    }

    [Fact]
    public void Mutated_uploads_are_refused_or_read()
    {
        foreach ((byte type, SecretMaterial material) in (ReadOnlySpan<(byte, SecretMaterial)>)[(0, s_rsa), (1, s_ecdsa), (2, s_ed25519)])
            Mutations.Drive([type, (byte)(material.Certificate.Length >> 8), (byte)material.Certificate.Length, .. material.Certificate.Span, .. material.Private.Span], UploadedCertificate.Fuzz, 400);
    }

    private static SecretMaterial? Read(string type, SecretMaterial material, byte[] key)
    {
        SecretMaterial? read = UploadedCertificate.Read(type, material.Certificate.ToArray(), key, out string reason);
        Assert.Equal(read is null, reason.Length > 0);
        return read;
    }
}
