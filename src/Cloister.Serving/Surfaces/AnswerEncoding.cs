using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Cloister.Serving.Surfaces;

/// <summary>Whether and how an answer is compressed (RFC 9110 section 12.5.3): only where the caller asks, and only what gains by it.</summary>
internal static class AnswerEncoding
{
    /// <summary>Smaller answers are sent as they are: the packet would not get smaller.</summary>
    public const int SmallestCompressed = 1024;

    private static readonly string[] Offered = ["gzip", "deflate"];

    /// <summary>The coding that the caller weighs highest among those offered; null for none.</summary>
    public static string? Of(HttpContext http)
    {
        StringValues accepted = http.Request.Headers.AcceptEncoding;
        if (accepted.Count == 0 || !StringWithQualityHeaderValue.TryParseList(accepted, out IList<StringWithQualityHeaderValue>? codings)) return null;
        string? best = null;
        double weight = 0, identity = 0;
        foreach (StringWithQualityHeaderValue coding in codings)
        {
            double asked = coding.Quality ?? 1;
            if (coding.Value.Equals("identity", StringComparison.OrdinalIgnoreCase)) identity = asked;
            if (asked <= weight || Array.Find(Offered, offered => coding.Value.Equals(offered, StringComparison.OrdinalIgnoreCase)) is not { } found) continue;
            (best, weight) = (found, asked);
        }
        return weight >= identity ? best : null;
    }

    /// <summary>A stream that compresses into another one, which it leaves open.</summary>
    public static Stream Compress(Stream into, string coding) => coding == "gzip"
        ? new GZipStream(into, CompressionLevel.Fastest, leaveOpen: true)
        // RFC 9110 section 8.4.1.2: "deflate" is the zlib format around it.
        : new ZLibStream(into, CompressionLevel.Fastest, leaveOpen: true);
}
