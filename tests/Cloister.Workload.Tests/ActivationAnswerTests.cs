using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Marble;
using Cloister.Tests.Mesh;
using Google.Protobuf;

namespace Cloister.Workload.Tests;

/// <summary>A real coordinator's answer, and what may not be changed in it.</summary>
public sealed class ActivationAnswerTests : IAsyncLifetime, IDisposable
{
    private TestMesh _mesh = null!;
    private WorkloadKey _key = null!;
    private ActivationResp _answer = null!;
    private ActivationExpectation _expected = null!;

    public async Task InitializeAsync()
    {
        _mesh = await TestMesh.StartAsync();
        await _mesh.SetModelKeyAsync();
        _key = new WorkloadKey();
        using X509Certificate2 temporary = _key.CreateSelfSigned(DateTimeOffset.UtcNow);
        ExchangeContext context = _mesh.Activator().CreateContext();
        var (answer, coordinator) = await ActivationExchange.RunAsync(context, _key, SslStreamCertificateContext.Create(temporary, null, offline: true), renewal: false, (_, _) => { }, CancellationToken.None);
        (_answer, _expected) = (answer, new ActivationExpectation(TestMesh.Type, context.Uuid, _key, coordinator, DateTimeOffset.UtcNow));
    }

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    public void Dispose() => _key.Dispose();

    [Fact]
    public void TheHonestAnswerIsTaken()
    {
        using Activation activation = ActivationAnswer.Read(_answer, _expected, _mesh.WorkloadIssuer);
        Assert.Single(activation.Models);
        ActivationAnswer.Wipe(_answer);
        Assert.All(_answer.Models[0].Key.ToByteArray(), b => Assert.Equal(0, b));
        Assert.All(_answer.Parameters.Env["KEY_HEX"].ToByteArray(), b => Assert.Equal(0, b));
        Assert.Equal(TestMesh.ModelKey, activation.Models[0].Key.Span.ToArray());
    }

    [Fact]
    public void AnotherIntermediateOrRootIsRefused()
    {
        using X509Certificate2 stranger = TestCertificate.Create();
        ByteString der = ByteString.CopyFrom(stranger.RawData);
        Refused(a => a.CertificateChain[1] = der, "intermediate");
        Refused(a => a.MarbleRoot = der, "marble root");
        Refused(a => a.CoordinatorRoot = der, "root");
        Refused(a => a.CertificateChain.Add(der), "exactly");
        Refused(a => a.CertificateChain.Clear(), "exactly");
    }

    [Fact]
    public void AnotherManifestIsRefused()
    {
        Refused(a => a.ManifestFingerprint = ByteString.CopyFrom(new byte[32]), "manifest");
        Refused(a => a.ManifestFingerprint = ByteString.Empty, "manifest");
    }

    [Fact]
    public async Task ALeafForAnotherKeyTypeOrInstanceIsRefused()
    {
        using Activation other = await _mesh.Activator().ActivateAsync();
        Refused(a => a.CertificateChain[0] = ByteString.CopyFrom(other.Identity.Current.Leaf.RawData), "another key");
        Refused(a => a.CertificateChain[0] = Leaf(uuid: Guid.NewGuid()), "UUID");
        Refused(a => a.CertificateChain[0] = Leaf(type: TestMesh.OtherType), "type");
        Refused(a => a.CertificateChain[0] = Leaf(type: null), "type");
        Refused(a => a.CertificateChain[0] = Leaf(authority: true), "authority");
        Refused(a => a.CertificateChain[0] = ByteString.CopyFromUtf8("no certificate"), "not a certificate");
        Refused(a => a.CertificateChain[0] = ByteString.CopyFrom(new byte[1 << 20]), "larger");
    }

    [Fact]
    public void ALeafOutOfTimeIsRefused()
    {
        Refused(a => a.CertificateChain[0] = Leaf(from: -48, to: -24), "expired");
        Refused(a => a.CertificateChain[0] = Leaf(from: 24, to: 48), "not yet valid");
    }

    [Fact]
    public void AForgedLeafIsRefusedForItsIssuer() => Refused(a => a.CertificateChain[0] = Leaf(), "chain");

    [Fact]
    public void GrantsThatAreNoneAreRefused()
    {
        Refused(a => a.Models.Add(a.Models[0].Clone()), "twice");
        Refused(a => a.Models[0].Name = "", "without a name");
        Refused(a => a.Models[0].Key = ByteString.CopyFrom(new byte[31]), "key of model");
        Refused(a => a.Models[0].Digest = ByteString.Empty, "digest of model");
        Refused(a => a.Models[0].MakerKey = ByteString.Empty, "maker");
        Refused(a => a.Callers[0].TokenSha256 = ByteString.CopyFrom(new byte[31]), "credential");
        Refused(a => a.Callers[0].Certificate = ByteString.CopyFrom([1]), "credential");
        Refused(a => a.Callers[0].TokenSha256 = ByteString.Empty, "credential");
        Refused(a => a.AnonymousModels.AddRange(Enumerable.Repeat("m", 5000)), "more than");
    }

    [Fact]
    public void ModesAndDemandsAreTaken()
    {
        ActivationResp whole = _answer.Clone(), parts = Partitioned();
        whole.Models[0].Mode = "encrypted";
        using Activation open = ActivationAnswer.Read(_answer, _expected, _mesh.WorkloadIssuer), encrypted = ActivationAnswer.Read(whole, _expected, _mesh.WorkloadIssuer),
            partitioned = ActivationAnswer.Read(parts, _expected, _mesh.WorkloadIssuer);
        Assert.Equal((null, null), (open.Models[0].Mode, open.Models[0].Partition));
        Assert.Empty(open.Identity.Modes);
        Assert.Equal(("encrypted", null), (encrypted.Models[0].Mode, encrypted.Models[0].Partition));
        Assert.Equal([KeyValuePair.Create("digits", "encrypted")], encrypted.Identity.Modes);
        Assert.Equal("partitioned", partitioned.Models[0].Mode);
        Assert.Equal(s_assessor, partitioned.Models[0].Partition!.AssessorKey.ToArray());
        Assert.Equal([KeyValuePair.Create("labels", 1.0), KeyValuePair.Create("pictures", 0.5)], partitioned.Models[0].Partition!.MinimumScores);
        Assert.Equal([KeyValuePair.Create("digits", "partitioned")], partitioned.Identity.Modes);
    }

    [Fact]
    public void ModesAndDemandsThatAreNoneAreRefused()
    {
        foreach (string mode in new[] { "masked", "Enclave", "fast" })
            Refused(a => a.Models[0].Mode = mode, "does not know the mode of model 'digits'");
        Refused(a => a.Models[0].Mode = "partitioned", "or the other way round");
        Refused(a => a.Models[0].Partition = Partitioned().Models[0].Partition, "or the other way round");
        Refused(a => (a.Models[0].Mode, a.Models[0].Partition) = ("enclave", Partitioned().Models[0].Partition), "or the other way round");
        void Demand(Action<PartitionGrant> change, string because) => Refused(a =>
        {
            (a.Models[0].Mode, a.Models[0].Partition) = ("partitioned", Partitioned().Models[0].Partition);
            change(a.Models[0].Partition);
        }, because);
        Demand(p => p.AssessorKey = ByteString.Empty, "no assessor's key");
        Demand(p => p.MinimumScores[0].Name = "picture", "unknown name");
        Demand(p => p.MinimumScores[0].Name = "", "unknown name");
        foreach (double score in new[] { double.NaN, -0.01, 1.01, double.PositiveInfinity })
            Demand(p => p.MinimumScores[0].Minimum = score, "not from 0 to 1");
        Demand(p => p.MinimumScores.Add(new ScoreGrant { Name = "pictures", Minimum = 0.1 }), "minimum score twice");
    }

    [Fact]
    public void AnotherModeOrDemandIsAnotherModel()
    {
        ActivationResp parts = Partitioned(), whole = _answer.Clone();
        whole.Models[0].Mode = "enclave";
        using Activation open = ActivationAnswer.Read(_answer, _expected, _mesh.WorkloadIssuer), held = ActivationAnswer.Read(parts, _expected, _mesh.WorkloadIssuer);
        Assert.Null(ActivationAnswer.Changed(_answer, open));
        Assert.Null(ActivationAnswer.Changed(parts, held));
        Assert.Equal("its models", ActivationAnswer.Changed(whole, open));
        Assert.Equal("its models", ActivationAnswer.Changed(_answer, held));
        Assert.Equal("its models", ActivationAnswer.Changed(whole, held));
        parts.Models[0].Partition.MinimumScores[0].Minimum = 0.25;
        Assert.Equal("its models", ActivationAnswer.Changed(parts, held));
        parts = Partitioned();
        parts.Models[0].Partition.MinimumScores.RemoveAt(1);
        Assert.Equal("its models", ActivationAnswer.Changed(parts, held));
        parts = Partitioned();
        parts.Models[0].Partition.AssessorKey = ByteString.CopyFrom([9]);
        Assert.Equal("its models", ActivationAnswer.Changed(parts, held));
    }

    private static readonly byte[] s_assessor = [1, 2, 3];

    private ActivationResp Partitioned()
    {
        ActivationResp parts = _answer.Clone();
        parts.Models[0].Mode = "partitioned";
        parts.Models[0].Partition = new PartitionGrant { AssessorKey = ByteString.CopyFrom(s_assessor), MinimumScores = { new ScoreGrant { Name = "pictures", Minimum = 0.5 }, new ScoreGrant { Name = "labels", Minimum = 1 } } };
        return parts;
    }

    [Fact]
    public void HostileAnswersAreRefusedAndNothingElse() =>
        Mutations.Drive(m => ActivationAnswer.Fuzz(m.Span, _expected, _mesh.WorkloadIssuer), 3_000, _answer.ToByteArray(), Partitioned().ToByteArray());

    private void Refused(Action<ActivationResp> change, string because)
    {
        ActivationResp changed = _answer.Clone();
        change(changed);
        var e = Assert.Throws<WorkloadException>(() => ActivationAnswer.Read(changed, _expected, _mesh.WorkloadIssuer));
        Assert.Equal(WorkloadError.InvalidAnswer, e.Error);
        Assert.Contains(because, e.Message, StringComparison.Ordinal);
    }

    // A leaf for the right key by an authority of the intermediate's name that is not the intermediate.
    private ByteString Leaf(Guid? uuid = null, string? type = TestMesh.Type, bool authority = false, int from = -1, int to = 1)
    {
        using X509Certificate2 intermediate = X509CertificateLoader.LoadCertificate(_expected.Coordinator.Intermediate.Span);
        using var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={uuid ?? _expected.Uuid:D}"), new PublicKey(ECDsaOf(_key)), HashAlgorithmName.SHA256);
        if (type is not null)
            request.CertificateExtensions.Add(MarbleExtension.Create(type));
        if (authority)
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return ByteString.CopyFrom(request.Create(intermediate.SubjectName, X509SignatureGenerator.CreateForECDsa(forger), now.AddHours(from), now.AddHours(to), [1, 2, 3]).RawData);
    }

    private static ECDsa ECDsaOf(WorkloadKey key)
    {
        var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key.SubjectPublicKeyInfo, out _);
        return ecdsa;
    }
}
