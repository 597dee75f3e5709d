using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>An endorsement key in software, on P-256, with its certificate and authority. It opens credentials for the names of the keys beside it.</summary>
internal sealed class FakeEndorsement
{
    public static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private readonly ECDiffieHellman _key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    public FakeEndorsement(FakeAuthority authority) => Certificate = authority.Certify(_key);

    public byte[] Certificate { get; }

    public byte[] Public()
    {
        ECParameters key = _key.ExportParameters(false);
        return new TpmWriter().U16(0x23).U16(0xB).U32(0x000300B2).Sized(new byte[32]).U16(6).U16(128).U16(0x43).U16(0x10).U16(3).U16(0x10).Sized(key.Q.X).Sized(key.Q.Y).ToArray();
    }

    public TpmEndorsement With(FakeTpm tpm, params ReadOnlyMemory<byte>[] intermediates) => new(Certificate, [.. intermediates], Public(), tpm.Public());

    /// <summary>TPM2_ActivateCredential; null where the TPM refuses, because the credential is for another name or key.</summary>
    public byte[]? Open(TpmCredential credential, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> point = credential.EncryptedSecret.Span[2..];
        byte[] x = point[2..34].ToArray(), y = point[36..68].ToArray();
        using var ephemeral = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
        using ECDiffieHellmanPublicKey sender = ephemeral.PublicKey;
        byte[] seed = SHA256.HashData([0, 0, 0, 1, .. _key.DeriveRawSecretAgreement(sender), .. "IDENTITY\0"u8, .. x, .. _key.ExportParameters(false).Q.X!]);
        ReadOnlySpan<byte> blob = credential.Blob.Span[2..];
        byte[] mac = blob[2..34].ToArray(), encrypted = blob[34..].ToArray();
        if (!HMACSHA256.HashData(Kdfa(seed, "INTEGRITY", [], 256), (byte[])[.. encrypted, .. name]).AsSpan().SequenceEqual(mac)) return null;
        using var aes = Aes.Create();
        aes.Key = Kdfa(seed, "STORAGE", name, 128);
        byte[] padded = [.. encrypted, .. new byte[(16 - encrypted.Length % 16) % 16]];
        return aes.DecryptCfb(padded, new byte[16], PaddingMode.None, 128)[2..encrypted.Length];
    }

    private static byte[] Kdfa(byte[] key, string label, ReadOnlySpan<byte> context, int bits)
    {
        var size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, bits);
        return HMACSHA256.HashData(key, (byte[])[0, 0, 0, 1, .. System.Text.Encoding.ASCII.GetBytes(label), 0, .. context, .. size])[..(bits / 8)];
    }
}

/// <summary>An authority of endorsement keys: a root and the intermediate that issues.</summary>
internal sealed class FakeAuthority
{
    private readonly ECDsa _root = ECDsa.Create(ECCurve.NamedCurves.nistP256), _middle = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public FakeAuthority()
    {
        X509Extension[] signs = [new X509BasicConstraintsExtension(true, false, 0, true), new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true)];
        Root = Issue("CN=tpm root", new PublicKey(_root), "CN=tpm root", _root, 1, signs);
        Intermediate = Issue("CN=tpm authority", new PublicKey(_middle), "CN=tpm root", _root, 2, signs);
    }

    public byte[] Root { get; }

    public byte[] Intermediate { get; }

    public byte[] Certify(ECDiffieHellman key) => Issue("CN=machine", new PublicKey(key), "CN=tpm authority", _middle, (byte)RandomNumberGenerator.GetInt32(3, 120),
        [new X509BasicConstraintsExtension(false, false, 0, true), new X509KeyUsageExtension(X509KeyUsageFlags.KeyAgreement, true), new X509EnhancedKeyUsageExtension([new Oid("2.23.133.8.1")], false)]);

    private static byte[] Issue(string subject, PublicKey of, string issuer, ECDsa by, byte serial, X509Extension[] extensions)
    {
        var request = new CertificateRequest(new X500DistinguishedName(subject), of, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in extensions) request.CertificateExtensions.Add(extension);
        using X509Certificate2 made = request.Create(new X500DistinguishedName(issuer), X509SignatureGenerator.CreateForECDsa(by), FakeEndorsement.Now.AddYears(-1), FakeEndorsement.Now.AddYears(1), [serial]);
        return made.RawData;
    }
}
