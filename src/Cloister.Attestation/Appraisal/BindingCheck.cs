using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Cloister.Attestation;

/// <summary>
/// Compares what evidence says it is bound to with what the verifier expects. It only names the difference: whether the
/// expected binding was signed is each verifier's check.
/// </summary>
internal static class BindingCheck
{
    private static readonly ImmutableArray<PlannedCheck> Plan =
    [
        new("binding.role", "stated.role"),
        new("binding.nonce", "stated.nonce"),
        new("binding.key", "stated.key"),
        new("binding.primary", "evidence[0].kind"),
    ];

    public static ImmutableArray<Check> NotReached() => CheckList.NotReached(Plan);

    public static ImmutableArray<Check> Make(EvidenceSet evidence, Binding expected)
    {
        var checks = new CheckList(Plan);
        Binding stated = evidence.Stated;
        _ = checks.Next("binding.role", stated.Role == expected.Role, Refusal.RoleMismatch,
                $"the evidence was made in the role {stated.Role}", $"{stated.Role}", $"{expected.Role}")
            && checks.Next("binding.nonce", Same(stated.Nonce, expected.Nonce), Refusal.NonceMismatch,
                "the evidence was made for another nonce: it is old or was replayed", Hex(stated.Nonce), Hex(expected.Nonce))
            && checks.Next("binding.key", Same(stated.SubjectPublicKeyInfo, expected.SubjectPublicKeyInfo), Refusal.KeyMismatch,
                "the evidence was made for another key than the peer's: it was replayed, or somebody stands between", KeyDigest(stated), KeyDigest(expected))
            && checks.Next("binding.primary", evidence.Primary.Kind != TeeKind.NvidiaGpu, Refusal.PrimaryNotAttester,
                "a GPU's evidence covers neither runtime data nor other evidence and cannot stand first", $"{evidence.Primary.Kind}");
        return checks.Finish();
    }

    private static bool Same(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => CryptographicOperations.FixedTimeEquals(a.Span, b.Span);

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    private static string KeyDigest(Binding binding) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(binding.SubjectPublicKeyInfo.Span))}";
}
