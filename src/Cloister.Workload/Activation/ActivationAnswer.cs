using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Platform;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Cloister.Sealing;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace Cloister.Workload;

/// <summary>What an activation must answer to: the key and names asked for, under the coordinator that was verified.</summary>
internal sealed record ActivationExpectation(string MarbleType, Guid Uuid, WorkloadKey Key, VerifiedCoordinator Coordinator, DateTimeOffset Now);

/// <summary>
/// Checks and takes over a coordinator's answer. The coordinator was verified, and still nothing is taken that does not
/// fit what was asked. Secrets are copied into memory that is zeroed later; then the message is wiped.
/// </summary>
internal static class ActivationAnswer
{
    private const int MaxCertificateBytes = 64 << 10, MaxEntries = 4096;
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromMinutes(5);

    /// <summary>The whole answer to a first activation.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidAnswer"/>, with the check that failed.</exception>
    public static Activation Read(ActivationResp answer, ActivationExpectation expected, IEvidenceIssuer issuer)
    {
        // Everything is checked before the first secret is copied: a refusal leaves no copies behind.
        CheckGrants(answer);
        WorkloadCertificate certificate = ReadCertificate(answer, expected);
        var identity = new WorkloadIdentity(expected.MarbleType, expected.Uuid, expected.Coordinator.ManifestFingerprint, certificate, issuer, ModelAnswer.Modes(answer));
        Parameters parameters = answer.Parameters ?? new Parameters();
        return new Activation(identity,
            X509CertificateLoader.LoadCertificate(answer.MarbleRoot.Span), X509CertificateLoader.LoadCertificate(answer.CoordinatorRoot.Span),
            new WorkloadParameters(Take(parameters.Files), Take(parameters.Env), [.. parameters.Argv]),
            [.. answer.Models.Select(ModelAnswer.Read)],
            CallerAnswer.Read(answer));
    }

    /// <summary>What of a running workload's grants an answer under a newer manifest changes, callers aside; null if nothing.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidAnswer"/>, with the check that failed.</exception>
    public static string? Changed(ActivationResp answer, Activation held)
    {
        CheckGrants(answer);
        Parameters parameters = answer.Parameters ?? new Parameters();
        if (!IsSame(parameters.Files, held.Parameters.Files)) return "its files";
        if (!IsSame(parameters.Env, held.Parameters.Environment)) return "its environment";
        if (!parameters.Argv.SequenceEqual(held.Parameters.Arguments, StringComparer.Ordinal)) return "its arguments";
        bool same = answer.Models.Count == held.Models.Count && answer.Models.All(model => held.Models.Any(known => ModelAnswer.IsSame(model, known)));
        return same ? null : "its models";
    }

    private static bool IsSame(MapField<string, ByteString> brought, IReadOnlyDictionary<string, SecretBytes> held) => brought.Count == held.Count
        && brought.All(value => held.TryGetValue(value.Key, out SecretBytes? known) && CryptographicOperations.FixedTimeEquals(known.Span, value.Value.Span));

    /// <summary>The certificate, joined with its key.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidAnswer"/>, with the check that failed.</exception>
    public static WorkloadCertificate ReadCertificate(ActivationResp answer, ActivationExpectation expected)
    {
        Require(answer.CertificateChain.Count == 2, "it does not bring exactly a leaf and an intermediate");
        Require(Same(answer.CertificateChain[1], expected.Coordinator.Intermediate), "the intermediate is not the one the coordinator's evidence names");
        Require(Same(answer.MarbleRoot, expected.Coordinator.MarbleRoot), "the marble root is not the one the coordinator's evidence names");
        Require(Same(answer.CoordinatorRoot, expected.Coordinator.Root), "the root is not the one the coordinator's evidence names");
        Require(Convert.ToHexStringLower(answer.ManifestFingerprint.Span) == expected.Coordinator.ManifestFingerprint,
            "the manifest is not the one the coordinator's evidence names");

        X509Certificate2 intermediate = Load(answer.CertificateChain[1], "intermediate");
        X509Certificate2 bare = Load(answer.CertificateChain[0], "leaf");
        try
        {
            CheckLeaf(bare, intermediate, expected);
            X509Certificate2 leaf = expected.Key.Join(bare);
            return new WorkloadCertificate(leaf, intermediate);
        }
        catch (CryptographicException e)
        {
            // Some fields of a certificate are decoded when they are looked at.
            intermediate.Dispose();
            throw new WorkloadException(WorkloadError.InvalidAnswer, "The coordinator's answer is refused: the leaf is a malformed certificate.", e);
        }
        catch
        {
            intermediate.Dispose();
            throw;
        }
        finally
        {
            bare.Dispose();
        }
    }

    private static void CheckLeaf(X509Certificate2 leaf, X509Certificate2 intermediate, ActivationExpectation expected)
    {
        Require(leaf.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(expected.Key.SubjectPublicKeyInfo), "the leaf is for another key than this workload's");
        Require(leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == expected.Uuid.ToString("D"), "the leaf names another UUID");
        Require(MarbleExtension.Read(leaf) == expected.MarbleType, "the leaf names another marble type");
        Require(leaf.Extensions.OfType<X509BasicConstraintsExtension>().All(e => !e.CertificateAuthority), "the leaf is a certificate authority");
        Require(leaf.NotBefore.ToUniversalTime() <= expected.Now.UtcDateTime + s_clockSkew, "the leaf is not yet valid");
        Require(leaf.NotAfter.ToUniversalTime() > expected.Now.UtcDateTime, "the leaf has expired");
        Require(IssuedBy(leaf, intermediate, expected), "the leaf does not chain to the intermediate and the attested root");
    }

    // Exactly this path, at the caller's time; nothing is fetched, and the machine's own roots do not count.
    private static bool IssuedBy(X509Certificate2 leaf, X509Certificate2 intermediate, ActivationExpectation expected)
    {
        using X509Certificate2 root = X509CertificateLoader.LoadCertificate(expected.Coordinator.Root.Span);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.ExtraStore.Add(intermediate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = (expected.Now + s_clockSkew).UtcDateTime;
        return chain.Build(leaf) && chain.ChainElements.Count == 3 && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(intermediate.RawDataMemory.Span);
    }

    private static void CheckGrants(ActivationResp answer)
    {
        Parameters parameters = answer.Parameters ?? new Parameters();
        int most = new[] { parameters.Files.Count, parameters.Env.Count, parameters.Argv.Count, answer.Models.Count, answer.Callers.Count, answer.AnonymousModels.Count }.Max();
        Require(most <= MaxEntries, $"it brings more than {MaxEntries} parameters, models or callers");
        if ((ModelAnswer.Wrong(answer) ?? CallerAnswer.Wrong(answer)) is { } wrong) Require(false, wrong);
    }

    private static Dictionary<string, SecretBytes> Take(MapField<string, ByteString> values) =>
        values.ToDictionary(v => v.Key, v => SecretBytes.Copy(v.Value.Span), StringComparer.Ordinal);

    /// <summary>Zeroes what is secret in an answer: call it once everything was taken, or refused.</summary>
    public static void Wipe(ActivationResp answer)
    {
        foreach (ByteString value in (answer.Parameters?.Files.Values ?? []).Concat(answer.Parameters?.Env.Values ?? []).Concat(answer.Models.Select(m => m.Key)))
        {
            if (MemoryMarshal.TryGetArray(value.Memory, out ArraySegment<byte> array))
                CryptographicOperations.ZeroMemory(array);
        }
    }

    private static bool Same(ByteString der, ReadOnlyMemory<byte> certificate) => der.Span.SequenceEqual(certificate.Span);

    private static X509Certificate2 Load(ByteString der, string what)
    {
        Require(der.Length is > 0 and <= MaxCertificateBytes, $"the {what} is empty or larger than {MaxCertificateBytes} bytes");
        try
        {
            return X509CertificateLoader.LoadCertificate(der.Span);
        }
        catch (CryptographicException e)
        {
            throw new WorkloadException(WorkloadError.InvalidAnswer, $"The coordinator's answer is refused: the {what} is not a certificate.", e);
        }
    }

    /// <summary>Fuzz target: any bytes are an answer that fits, or are refused with <see cref="WorkloadError.InvalidAnswer"/>; bytes that are no message never get here.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes, ActivationExpectation expected, IEvidenceIssuer issuer)
    {
        try
        {
            Read(ActivationResp.Parser.ParseFrom(bytes), expected, issuer).Dispose();
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or WorkloadException { Error: WorkloadError.InvalidAnswer })
        {
            // The documented refusals.
            return;
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new WorkloadException(WorkloadError.InvalidAnswer, $"The coordinator's answer is refused: {otherwise}.");
    }
}
