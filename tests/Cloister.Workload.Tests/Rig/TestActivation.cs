using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Platform;
using Cloister.Sealing;

namespace Cloister.Workload.Tests;

/// <summary>An activation made by hand, for what happens after one.</summary>
internal static class TestActivation
{
    public const string Fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    public static Activation Create(Dictionary<string, byte[]>? files = null, Dictionary<string, byte[]>? environment = null, string[]? arguments = null)
    {
        var uuid = Guid.NewGuid();
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 root = Authority("CN=root", rootKey);
        X509Certificate2 marbleRoot = Authority("CN=marble root", rootKey);
        X509Certificate2 intermediate = Authority("CN=intermediate", rootKey);
        using var key = new WorkloadKey();
        using X509Certificate2 bare = key.CreateSelfSigned(DateTimeOffset.UtcNow);
        var certificate = new WorkloadCertificate(new X509Certificate2(bare), intermediate);
        var identity = new WorkloadIdentity("digits", uuid, Fingerprint, certificate, new NoIssuer());
        var parameters = new WorkloadParameters(Secrets(files), Secrets(environment), arguments ?? []);
        return new Activation(identity, marbleRoot, root, parameters, [], new CallerRights([], []));
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static Dictionary<string, SecretBytes> Secrets(Dictionary<string, byte[]>? values) =>
        (values ?? []).ToDictionary(v => v.Key, v => SecretBytes.Copy(v.Value), StringComparer.Ordinal);

    private static X509Certificate2 Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
    }

    private sealed class NoIssuer : IEvidenceIssuer
    {
        public TeeKind Kind => TeeKind.Simulation;

        public bool Simulated => true;

        public ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation) =>
            throw new IOException("This issuer has no machine.");
    }
}
