using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Tests.Secrets;

public sealed class MarbleSecretsTests
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CertificateAuthority s_authority = CertificateAuthority.Create(["localhost"], s_now);
    private static readonly Guid s_uuid = new("3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab");

    private readonly CoordinatorSnapshot _snapshot;

    public MarbleSecretsTests()
    {
        ManifestDocument manifest = CertificateManifest.Read("""
            {
              "own-certificate": { "Type": "cert-ecdsa", "Size": 256 }, "own-key": { "Type": "symmetric-key", "Size": 256 }, "slow": { "Type": "cert-rsa", "Size": 8192 },
              "shared-certificate": { "Type": "cert-ed25519", "Shared": true }, "shared-key": { "Type": "symmetric-key", "Size": 128, "Shared": true },
              "user": { "Type": "cert-rsa", "UserDefined": true }
            }
            """);
        _snapshot = new CoordinatorSnapshot
        {
            State = CoordinatorState.AcceptingMarbles,
            Authority = s_authority,
            RootSecret = Enumerable.Repeat((byte)1, 32).ToArray(),
            Manifest = new ManifestInForce(default, "", ManifestDialect.MarbleRun, manifest, [], default),
            Secrets = SharedSecrets.Generate(manifest, s_authority, s_now),
        };
    }

    [Fact]
    public void Only_what_is_read_is_made_and_once()
    {
        using MarbleSecrets secrets = Open();
        Assert.Equal(6, secrets.Names.Count);
        Assert.True(secrets.TryGet("slow", out TemplateSecret? slow));
        Assert.Equal(("cert-rsa", 8192UL), (slow.Type, slow.Size));
        Assert.Equal(0, secrets.Made);
        TemplateSecretValue value = Value(secrets, "own-certificate");
        Assert.Same(value, Value(secrets, "own-certificate"));
        Assert.Equal(1, secrets.Made);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(value.Certificate.Span);
        Assert.Equal(s_authority.Intermediate.Subject, certificate.Issuer);
    }

    [Fact]
    public void Shared_secrets_are_the_stored_ones_and_a_user_s_is_unset()
    {
        using MarbleSecrets secrets = Open();
        Assert.Equal(_snapshot.Secrets["shared-certificate"].Private.ToArray(), Value(secrets, "shared-certificate").Private.ToArray());
        Assert.Equal(_snapshot.Secrets["shared-key"].Public.ToArray(), Value(secrets, "shared-key").Public.ToArray());
        Assert.True(secrets.TryGet("user", out TemplateSecret? user));
        Assert.Null(user.Value);
        Assert.False(secrets.TryGet("nobody", out _));
        Assert.Equal(0, secrets.Made);
    }

    [Fact]
    public void What_was_made_is_zeroed_and_what_is_stored_is_kept()
    {
        MarbleSecrets secrets = Open();
        ReadOnlyMemory<byte> certificateKey = Value(secrets, "own-certificate").Private, key = Value(secrets, "own-key").Private, shared = Value(secrets, "shared-key").Private;
        secrets.Dispose();
        Assert.True(certificateKey.Span.IndexOfAnyExcept((byte)0) < 0);
        Assert.True(key.Span.IndexOfAnyExcept((byte)0) < 0);
        Assert.True(shared.Span.IndexOfAnyExcept((byte)0) >= 0);
    }

    [Fact]
    public void Before_a_rotation_the_previous_secrets_are_the_present_ones()
    {
        using MarbleSecrets now = Open(), before = Open(previous: true);
        foreach (string name in (string[])["own-key", "shared-key", "shared-certificate"])
            Assert.Equal(Value(now, name).Private.ToArray(), Value(before, name).Private.ToArray());
    }

    [Fact]
    public void After_a_rotation_they_are_those_from_before()
    {
        SecretMaterial oldKey = SecretMaterial.OfKey(new byte[] { 1, 2, 3 });
        CoordinatorSnapshot rotated = _snapshot with
        {
            RootSecret = Enumerable.Repeat((byte)2, 32).ToArray(),
            PreviousRootSecret = _snapshot.RootSecret,
            PreviousSecrets = _snapshot.PreviousSecrets.Add("shared-key", oldKey),
        };
        using MarbleSecrets first = Open(), now = Open(snapshot: rotated), before = Open(previous: true, rotated);
        Assert.Equal(Value(first, "own-key").Private.ToArray(), Value(before, "own-key").Private.ToArray());
        Assert.NotEqual(Value(first, "own-key").Private.ToArray(), Value(now, "own-key").Private.ToArray());
        Assert.Equal(oldKey.Private.ToArray(), Value(before, "shared-key").Private.ToArray());
    }

    [Fact]
    public void What_is_withheld_is_withheld_from_before_the_rotation_too()
    {
        CoordinatorSnapshot withheld = _snapshot with
        {
            Secrets = _snapshot.Secrets.Add("user", SecretMaterial.OfKey(new byte[] { 4 })),
            PreviousSecrets = _snapshot.PreviousSecrets.Add("user", SecretMaterial.OfKey(new byte[] { 3 })),
            Withheld = _snapshot.Withheld.Add("user", "fingerprint"),
        };
        using MarbleSecrets now = Open(snapshot: withheld), before = Open(previous: true, withheld);
        Assert.True(now.TryGet("user", out TemplateSecret? secret) && secret.Value is null);
        Assert.True(before.TryGet("user", out TemplateSecret? previous) && previous.Value is null);
    }

    private MarbleSecrets Open(bool previous = false, CoordinatorSnapshot? snapshot = null) =>
        new(snapshot ?? _snapshot, (snapshot ?? _snapshot).Manifest!.Plans["m"], s_uuid, previous, s_now);

    private static TemplateSecretValue Value(MarbleSecrets secrets, string name)
    {
        Assert.True(secrets.TryGet(name, out TemplateSecret? secret));
        return secret.Value!;
    }
}
