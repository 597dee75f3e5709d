using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Pictures;

/// <summary>The pictures of an assessment. No two are the same or nearly so, so that none is both learned from and attacked.</summary>
/// <param name="Size">The size of each.</param>
/// <param name="Fit">What an attacker learns from.</param>
/// <param name="Test">What is attacked.</param>
/// <param name="Candidates">Files and records that were found, of which as many as needed were taken.</param>
/// <param name="Duplicates">Pictures left out because they are another one, or a near copy of it.</param>
/// <param name="SkippedCount">Files left out because they are no pictures that can be read.</param>
/// <param name="Skipped">The first of those, each with the reason.</param>
/// <param name="Digest">SHA-256 over the pictures' pixels and inputs in their order, hexadecimal.</param>
public sealed record PictureSet(
    PictureSize Size,
    ImmutableArray<AssessedPicture> Fit,
    ImmutableArray<AssessedPicture> Test,
    int Candidates,
    int Duplicates,
    int SkippedCount,
    ImmutableArray<string> Skipped,
    string Digest)
{
    /// <summary>No pictures, for a model that reads texts.</summary>
    /// <param name="texts">The texts, or null where they are drawn.</param>
    public static PictureSet OfTexts(IReadOnlyList<int[]>? texts)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(string.Join('\n', (texts ?? []).Select(text => string.Join(' ', text.Select(token => token.ToString(CultureInfo.InvariantCulture))))));
        return new PictureSet(default, [], [], texts?.Count ?? 0, 0, 0, [], Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    internal static string DigestOf(IEnumerable<AssessedPicture> fit, IEnumerable<AssessedPicture> test)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (AssessedPicture picture in fit) Append(hash, "fit"u8, picture);
        foreach (AssessedPicture picture in test) Append(hash, "test"u8, picture);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> half, AssessedPicture picture)
    {
        hash.AppendData(half);
        hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(picture.Pixels.AsSpan()));
        hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(picture.Input.AsSpan()));
    }
}
