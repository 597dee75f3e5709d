using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;

namespace Cloister.Tests.Certificates;

public sealed class CertificateTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), End = Start.AddYears(1);
    private static readonly VerificationTime Now = VerificationTime.At(Start.AddDays(1));

    [Fact]
    public void A_certificate_reads_as_the_platform_reads_it()
    {
        foreach (bool rsa in new[] { false, true })
        {
            using var chain = new MadeChain(rsa);
            foreach (X509Certificate2 made in new[] { chain.Root, chain.Intermediate, chain.Leaf })
            {
                Certificate read = CertificateParser.Parse(made.RawData).Value;
                Assert.Equal(made.SubjectName.RawData, read.Subject.ToArray());
                Assert.Equal(made.IssuerName.RawData, read.Issuer.ToArray());
                Assert.Equal(made.GetNameInfo(X509NameType.SimpleName, false), read.SubjectCommonName);
                Assert.Equal(made.SerialNumberBytes.ToArray(), read.SerialNumber.ToArray());
                Assert.Equal(made.NotBefore.ToUniversalTime(), read.NotBefore.UtcDateTime);
                Assert.Equal(made.NotAfter.ToUniversalTime(), read.NotAfter.UtcDateTime);
                Assert.Equal(made.PublicKey.ExportSubjectPublicKeyInfo(), read.SubjectPublicKeyInfo.ToArray());
                Assert.Equal(rsa ? (PublicKeyKind.Rsa, 2048) : (PublicKeyKind.P384, 384), (read.KeyKind, read.KeyBits));
                Assert.Equal(rsa ? SignatureAlgorithm.RsaPssSha384 : SignatureAlgorithm.EcdsaSha384, read.SignatureAlgorithm);
                Assert.Equal(made.Extensions.Select(one => one.RawData), read.Extensions.Select(one => one.Value.ToArray()));
            }
            Assert.Equal((true, 0, true), (chain.Read[1].IsAuthority, chain.Read[1].PathLength, chain.Read[1].MaySignCertificates));
            Assert.Equal((false, null, 1 << 0), (chain.Read[0].IsAuthority, chain.Read[0].PathLength, chain.Read[0].KeyUsage));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_chain_holds_and_each_flipped_bit_of_its_leaf_is_noticed(bool rsa)
    {
        using var chain = new MadeChain(rsa);
        var signatures = new SignatureChecker();
        Assert.Null(CertificateChainCheck.Links(chain.Read, signatures));
        Assert.Null(CertificateChainCheck.Links(chain.Read, signatures));
        Assert.Null(CertificateChainCheck.Dates(chain.Read, Now));
        byte[] leaf = chain.Leaf.RawData;
        for (int bit = 0; bit < leaf.Length * 8; bit += rsa ? 7 : 31)
        {
            byte[] changed = [.. leaf];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            if (CertificateParser.Parse(changed).TryGetValue(out Certificate? read))
                Assert.NotNull(CertificateChainCheck.Links([read, chain.Read[1], chain.Read[2]], signatures));
        }
    }

    [Fact]
    public void What_does_not_hold_together_is_told_apart()
    {
        using MadeChain chain = new(false), other = new(false), noCa = new(false, intermediateIsAuthority: false), deep = new(false, rootPathLength: 0), critical = new(false, criticalInLeaf: true);
        var signatures = new SignatureChecker();
        Assert.Equal(Refusal.CertificateSignatureInvalid, CertificateChainCheck.Links([chain.Read[0], other.Read[1], other.Read[2]], signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateSignatureInvalid, CertificateChainCheck.Links([chain.Read[0], chain.Read[1], other.Read[2]], signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateIssuerMismatch, CertificateChainCheck.Links([chain.Read[0], chain.Read[2]], signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateIssuerMismatch, CertificateChainCheck.Links([chain.Read[1], chain.Read[0], chain.Read[2]], signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateChainLength, CertificateChainCheck.Links([chain.Read[2]], signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateNotAuthority, CertificateChainCheck.Links(noCa.Read, signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateNotAuthority, CertificateChainCheck.Links(deep.Read, signatures)!.Refusal);
        Assert.Equal(Refusal.CertificateExtension, CertificateChainCheck.Links(critical.Read, signatures)!.Refusal);
        Assert.Equal(Refusal.NotYetValid, CertificateChainCheck.Dates(chain.Read, VerificationTime.At(Start.AddSeconds(-1)))!.Refusal);
        Assert.Equal(Refusal.Expired, CertificateChainCheck.Dates(chain.Read, VerificationTime.At(End.AddSeconds(1)))!.Refusal);
        Assert.Null(CertificateChainCheck.Dates(chain.Read, VerificationTime.At(End)));
        Assert.Null(CertificateChainCheck.Dates(chain.Read, VerificationTime.NoTimeCheck));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_revocation_list_says_what_its_issuer_revoked(bool rsa)
    {
        using MadeChain chain = new(rsa), other = new(rsa);
        var signatures = new SignatureChecker();
        RevocationList list = CrlParser.Parse(chain.RevocationList(chain.Intermediate.SerialNumberBytes.ToArray())).Value, empty = CrlParser.Parse(chain.RevocationList()).Value;
        Assert.Equal((1, 0), (list.Count, empty.Count));
        Assert.Null(RevocationCheck.Issuer(list, chain.Read[2], signatures));
        Assert.Null(RevocationCheck.Dates(list, Now));
        Assert.Equal(Refusal.Revoked, RevocationCheck.Entries(list, chain.Read[0], chain.Read[1])!.Refusal);
        Assert.Null(RevocationCheck.Entries(list, chain.Read[0]));
        Assert.Null(RevocationCheck.Entries(empty, chain.Read));
        Assert.Equal(Refusal.RevocationListIssuer, RevocationCheck.Issuer(list, chain.Read[1], signatures)!.Refusal);
        Assert.Equal(Refusal.RevocationListSignature, RevocationCheck.Issuer(list, other.Read[2], signatures)!.Refusal);
        Assert.Equal(Refusal.NotYetValid, RevocationCheck.Dates(list, VerificationTime.At(Start.AddSeconds(-1)))!.Refusal);
        Assert.Equal(Refusal.Expired, RevocationCheck.Dates(list, VerificationTime.At(Start.AddDays(31)))!.Refusal);
        Assert.Null(RevocationCheck.Dates(list, VerificationTime.NoTimeCheck));
    }

    [Fact]
    public void A_pem_text_holds_certificates_alone()
    {
        using var chain = new MadeChain(false);
        string pem = chain.Leaf.ExportCertificatePem() + "\n" + chain.Root.ExportCertificatePem() + "\n\0";
        Assert.Equal(2, CertificateParser.ParsePem(System.Text.Encoding.ASCII.GetBytes(pem)).Value.Length);
        Assert.Equal(chain.Leaf.RawData, CertificateParser.ParseAny(System.Text.Encoding.ASCII.GetBytes(chain.Leaf.ExportCertificatePem())).Value.Encoded.ToArray());
        foreach (string bad in new[] { "", "x" + pem, pem + "x", pem.Replace("CERTIFICATE", "PUBLIC KEY", StringComparison.Ordinal), string.Concat(Enumerable.Repeat(pem, 9)) })
            Assert.Equal(Refusal.CertificateMalformed, CertificateParser.ParsePem(System.Text.Encoding.ASCII.GetBytes(bad)).Refusal);
        Assert.Equal(Refusal.CertificateMalformed, CertificateParser.ParseAny(System.Text.Encoding.ASCII.GetBytes(pem)).Refusal);
        Assert.Equal(Refusal.CertificateMalformed, CertificateParser.Parse((byte[])[.. chain.Leaf.RawData, 0]).Refusal);
        Assert.Equal(Refusal.CertificateMalformed, CertificateParser.Parse(new byte[CertificateParser.MaximumSize + 1]).Refusal);
    }

    [Fact]
    public void Mutations_are_read_or_refused_within_bounds()
    {
        using MadeChain ec = new(false), rsa = new(true);
        byte[] list = ec.RevocationList([1], [2, 3]);
        foreach (byte[] valid in new[] { ec.Leaf.RawData, rsa.Intermediate.RawData })
            Mutations.Bounded(valid, CertificateParser.Fuzz, 4_000);
        Mutations.Bounded(System.Text.Encoding.ASCII.GetBytes(ec.Leaf.ExportCertificatePem()), CertificateParser.Fuzz, 2_000);
        Mutations.Bounded(list, CrlParser.Fuzz, 4_000);
    }

    /// <summary>Root, intermediate and leaf, all keys of one kind.</summary>
    private sealed class MadeChain : IDisposable
    {
        private readonly AsymmetricAlgorithm _root, _intermediate, _leaf;

        public MadeChain(bool rsa, bool intermediateIsAuthority = true, int? rootPathLength = null, bool criticalInLeaf = false)
        {
            (_root, _intermediate, _leaf) = (Key(rsa), Key(rsa), Key(rsa));
            CertificateRequest root = Request("root", _root), intermediate = Request("intermediate", _intermediate), leaf = Request("leaf", _leaf);
            root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, rootPathLength is not null, rootPathLength ?? 0, true));
            root.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
            intermediate.CertificateExtensions.Add(new X509BasicConstraintsExtension(intermediateIsAuthority, intermediateIsAuthority, 0, true));
            leaf.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
            if (criticalInLeaf) leaf.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.99999.1", [5, 0], true));
            Root = root.Create(root.SubjectName, Signer(_root), Start, End, [0x11]);
            Intermediate = intermediate.Create(root.SubjectName, Signer(_root), Start, End, [0x22]);
            Leaf = leaf.Create(intermediate.SubjectName, Signer(_intermediate), Start, End, [0x00, 0x99]);
            Read = [.. new[] { Leaf, Intermediate, Root }.Select(one => CertificateParser.Parse(one.RawData).Value)];
        }

        public X509Certificate2 Root { get; }
        public X509Certificate2 Intermediate { get; }
        public X509Certificate2 Leaf { get; }
        public Certificate[] Read { get; }

        public byte[] RevocationList(params byte[][] serials)
        {
            var builder = new CertificateRevocationListBuilder();
            foreach (byte[] serial in serials)
                builder.AddEntry(serial, Start);
            return builder.Build(Root.SubjectName, Signer(_root), 5, Start.AddDays(30), HashAlgorithmName.SHA384, X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier([1]), Start);
        }

        public void Dispose()
        {
            foreach (IDisposable one in (ImmutableArray<IDisposable>)[_root, _intermediate, _leaf, Root, Intermediate, Leaf])
                one.Dispose();
        }

        private static AsymmetricAlgorithm Key(bool rsa) => rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP384);

        private static CertificateRequest Request(string name, AsymmetricAlgorithm key) => key is RSA rsa
            ? new CertificateRequest($"CN={name}, O=Test", rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pss)
            : new CertificateRequest($"CN={name}, O=Test", (ECDsa)key, HashAlgorithmName.SHA384);

        private static X509SignatureGenerator Signer(AsymmetricAlgorithm key) => key is RSA rsa
            ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pss)
            : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
    }
}
