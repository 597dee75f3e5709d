using System.Net;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>A body that goes out in parts of its own, each on the wire before the next.</summary>
internal sealed class TrickledContent(byte[] body, int part, bool announce) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        for (int at = 0; at < body.Length; at += part)
        {
            await stream.WriteAsync(body.AsMemory(at, Math.Min(part, body.Length - at)));
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return announce;
    }
}
