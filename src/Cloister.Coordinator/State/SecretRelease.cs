using System.Security.Cryptography;

namespace Cloister.Coordinator.State;

/// <summary>An owner's word that a secret may be used under one manifest.</summary>
/// <param name="Fingerprint">The manifest that the owner verified, hex.</param>
/// <param name="Owner">SHA-256 of the owner's client certificate, hex: nobody else can give the word again.</param>
internal sealed record SecretRelease(string Fingerprint, string Owner)
{
    public static string OwnerOf(ReadOnlySpan<byte> certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate));
}
