using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Serving.Callers.Certificates;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Callers;

/// <summary>Client certificates of an authority: which are a caller's, and every reason why one is not.</summary>
public sealed class CertificateTests : IDisposable
{
    private const string Stranger = nameof(ServingError.Unauthenticated), Spiffe = "spiffe://example/ns/ml/sa/web";
    private static readonly DateTimeOffset s_start = DateTimeOffset.UnixEpoch.AddDays(-1), s_end = DateTimeOffset.UnixEpoch.AddDays(10);

    private readonly CertificateAuthority _authority = new("CN=clients"), _sameName = new("CN=clients");

    [Fact]
    public async Task A_certificate_of_the_authority_with_the_right_names_is_the_callers()
    {
        await using CallerScene scene = Scene(rule => rule with { Uri = "spiffe://example/ns/ml/*" });
        Assert.Equal("web", Ask(scene, _authority.Issue(names => names.AddUri(new Uri(Spiffe)))));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(names => names.AddUri(new Uri("spiffe://example/ns/mlx/sa/web")))));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(names => names.AddDnsName("spiffe.example"))));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { })));
        // The same name and another key, and the authority itself.
        Assert.Equal(Stranger, Ask(scene, _sameName.Issue(names => names.AddUri(new Uri(Spiffe)))));
        Assert.Equal(Stranger, Ask(scene, _authority.Certificate));
    }

    [Fact]
    public async Task A_stranger_may_come_for_what_is_open()
    {
        await using CallerScene scene = Scene(rule => rule with { CommonName = "web" });
        Assert.Equal("anybody", scene.Ask(CallerScene.Certificate(_sameName.Issue(_ => { })), "open"));
    }

    [Fact]
    public async Task What_is_not_for_clients_is_refused()
    {
        await using CallerScene scene = Scene(rule => rule with { CommonName = "*" });
        Assert.Equal("web", Ask(scene, _authority.Issue(_ => { })));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { }, purposes: ["1.3.6.1.5.5.7.3.1"])));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { }, purposes: [])));
        Assert.Equal("web", Ask(scene, _authority.Issue(_ => { }, purposes: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { }, usage: X509KeyUsageFlags.KeyEncipherment)));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { }, isAuthority: true)));
        Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { }, more: new X509Extension("1.2.3.4", [5, 0], critical: true))));
        // What does not decode is refused, and nothing else happens.
        foreach (string oid in new[] { "2.5.29.15", "2.5.29.19", "2.5.29.37", "2.5.29.17" })
            Assert.Equal(Stranger, Ask(scene, _authority.Issue(_ => { }, more: new X509Extension(oid, [0x30, 0x7F, 1], critical: false), bare: true)));
    }

    [Fact]
    public async Task Only_what_the_authority_signed_itself_counts()
    {
        await using CallerScene scene = Scene(rule => rule with { CommonName = "*" });
        using var below = new CertificateAuthority("CN=below", _authority);
        Assert.Equal(Stranger, Ask(scene, below.Issue(_ => { })));
        // An intermediate may be the authority, and its root has no say.
        await using CallerScene direct = new(new CallerRights([Caller(new CertificateRuleGrant(below.Certificate.RawData) { CommonName = "*" })], []));
        Assert.Equal("web", Ask(direct, below.Issue(_ => { })));
        Assert.Equal(Stranger, Ask(direct, _authority.Issue(_ => { })));
    }

    [Fact]
    public async Task Validity_is_asked_at_every_request()
    {
        await using CallerScene scene = Scene(rule => rule with { CommonName = "*" });
        X509Certificate2 brief = _authority.Issue(_ => { }, from: DateTimeOffset.UnixEpoch.AddHours(1), until: DateTimeOffset.UnixEpoch.AddHours(2));
        Assert.Equal(Stranger, Ask(scene, brief));
        scene.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("web", Ask(scene, brief));
        scene.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("web", Ask(scene, brief));
        scene.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Stranger, Ask(scene, brief));
        X509Certificate2 lasting = _authority.Issue(_ => { });
        Assert.Equal("web", Ask(scene, lasting));
        // The authority's own end.
        scene.Time.Advance(TimeSpan.FromDays(10));
        Assert.Equal(Stranger, Ask(scene, lasting));
    }

    [Fact]
    public async Task A_serial_that_the_manifest_lists_is_revoked()
    {
        X509Certificate2 one = _authority.Issue(_ => { }, serial: [0x01, 0x00]), other = _authority.Issue(_ => { }, serial: [0x02, 0x00]), high = _authority.Issue(_ => { }, serial: [0x00, 0xAB]);
        await using CallerScene scene = Scene(rule => rule with { CommonName = "*", Revoked = [new byte[] { 1, 0 }, new byte[] { 0xAB }] });
        Assert.Equal((Stranger, "web", Stranger), (Ask(scene, one), Ask(scene, other), Ask(scene, high)));
        scene.Registry.Replace(new CallerRights([Caller(Rule(rule => rule with { CommonName = "*", Revoked = [new byte[] { 2, 0 }] }))], []));
        Assert.Equal(("web", Stranger, "web"), (Ask(scene, one), Ask(scene, other), Ask(scene, high)));
    }

    [Theory]
    [InlineData("Dns", "web.example", "WEB.example", true)]
    [InlineData("Dns", "*.example", "web.example", true)]
    [InlineData("Dns", "*.example", "a.web.example", false)]
    [InlineData("Dns", "*.example", "example", false)]
    [InlineData("Dns", "*.example", ".example", false)]
    [InlineData("Dns", "*.example", "*.example", false)]
    [InlineData("Dns", "web.example", "web.example.evil", false)]
    [InlineData("Uri", "spiffe://d/ns/*", "spiffe://d/ns/a/b", true)]
    [InlineData("Uri", "spiffe://d/ns/*", "spiffe://d/ns/", false)]
    [InlineData("Uri", "spiffe://d/ns/a", "spiffe://d/ns/ab", false)]
    [InlineData("Uri", "spiffe://d/ns/a", "spiffe://D/ns/a", false)]
    [InlineData("Email", "*@d.example", "who@D.example", true)]
    [InlineData("Email", "*@d.example", "@d.example", false)]
    [InlineData("Email", "*@d.example", "a@d.example@evil", false)]
    [InlineData("Email", "ann@d.example", "ann@d.example", true)]
    [InlineData("Email", "ann@d.example", "Ann@d.example", false)]
    [InlineData("CommonName", "web", "web", true)]
    [InlineData("CommonName", "web", "Web", false)]
    [InlineData("CommonName", "*", "anything", true)]
    [InlineData("CommonName", "*", "", false)]
    public void Patterns(string kind, string pattern, string name, bool fits) => Assert.Equal(fits, kind switch
    {
        "Dns" => NamePattern.Dns(pattern, [name]),
        "Uri" => NamePattern.Uri(pattern, [name]),
        "Email" => NamePattern.Email(pattern, [name]),
        _ => NamePattern.CommonName(pattern, name),
    });

    [Fact]
    public void Two_common_names_are_none()
    {
        SubjectNames names = SubjectNames.Of(_authority.Issue(_ => { }, subject: "CN=web, O=a, CN=root"))!;
        Assert.Null(names.CommonName);
        Assert.Equal("web", SubjectNames.Of(_authority.Issue(_ => { }, subject: "CN=web, O=a"))!.CommonName);
    }

    [Fact]
    public void An_authority_has_to_be_one()
    {
        using X509Certificate2 leaf = _authority.Issue(_ => { });
        Assert.Throws<ArgumentException>(() => Scene(_ => new CertificateRuleGrant(leaf.RawData) { CommonName = "*" }).Registry);
        Assert.Throws<ArgumentException>(() => Scene(_ => new CertificateRuleGrant(new byte[] { 1 }) { CommonName = "*" }).Registry);
    }

    [Fact]
    public void Mutated_alternative_names_are_names_or_refused()
    {
        byte[] names = _authority.Issue(builder => { builder.AddUri(new Uri(Spiffe)); builder.AddDnsName("a.example"); builder.AddEmailAddress("a@b.example"); builder.AddIpAddress(System.Net.IPAddress.Loopback); })
            .Extensions.Single(extension => extension.Oid!.Value == "2.5.29.17").RawData;
        for (int seed = 1; seed <= 3000; seed++)
        {
            var random = new Random(seed);
            byte[] changed = [.. names];
            for (int i = random.Next(1, 4); i > 0; i--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            SubjectNames.Fuzz(changed.AsSpan(0, random.Next(changed.Length + 1)));
        }
    }

    public void Dispose()
    {
        _authority.Dispose();
        _sameName.Dispose();
    }

    private CallerScene Scene(Func<CertificateRuleGrant, CertificateRuleGrant> change) => new(new CallerRights([Caller(Rule(change))], ["open"]));

    private CertificateRuleGrant Rule(Func<CertificateRuleGrant, CertificateRuleGrant> change) => change(new CertificateRuleGrant(_authority.Certificate.RawData));

    private static CallerGrant Caller(CertificateRuleGrant rule) => new("web", default, default, ["digits"]) { CertificateFrom = rule };

    private static string Ask(CallerScene scene, X509Certificate2 certificate) => scene.Ask(CallerScene.Certificate(certificate));

    /// <summary>An authority that issues what a test wants, right or wrong.</summary>
    private sealed class CertificateAuthority : IDisposable
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public CertificateAuthority(string name, CertificateAuthority? above = null)
        {
            var request = new CertificateRequest(name, _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
            Certificate = above is null
                ? request.CreateSelfSigned(s_start, s_end)
                : request.Create(above.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(above._key), s_start, s_end, RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(_key);
        }

        public X509Certificate2 Certificate { get; }

        public X509Certificate2 Issue(Action<SubjectAlternativeNameBuilder> alternative, string subject = "CN=web", string[]? purposes = null,
            X509KeyUsageFlags usage = X509KeyUsageFlags.DigitalSignature, bool isAuthority = false, X509Extension? more = null, bool bare = false,
            DateTimeOffset? from = null, DateTimeOffset? until = null, byte[]? serial = null)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            alternative(names);
            X509Extension built = names.Build();
            if (built.RawData.Length > 2) request.CertificateExtensions.Add(built);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
            purposes ??= ["1.3.6.1.5.5.7.3.2"];
            if (purposes.Length > 0) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes.Select(purpose => new Oid(purpose))], false));
            if (bare) request.CertificateExtensions.Clear();
            if (more is not null) request.CertificateExtensions.Add(more);
            return request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), from ?? s_start, until ?? s_end, serial ?? RandomNumberGenerator.GetBytes(8));
        }

        public void Dispose()
        {
            Certificate.Dispose();
            _key.Dispose();
        }
    }
}
