using System.Buffers;
using System.Globalization;
using System.Text;
using Cloister.Protocol.Grpc;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.Surfaces;

/// <summary>
/// A refusal for programs: a <c>google.rpc.Status</c> with an <c>ErrorInfo</c> that names the <see cref="ServingError"/> and its number
/// (gRPC's richer error model; aip.dev/193). Statuses are few and shared by many refusals.
/// </summary>
internal static class GrpcErrorDetails
{
    /// <summary>The domain of the reasons.</summary>
    public const string Domain = "cloister.serving";

    /// <summary>A longer text would make the trailers larger than some clients take.</summary>
    private const int LongestMessage = 2048;

    private const int StatusCode = 1, StatusMessage = 2, StatusDetails = 3, AnyType = 1, AnyValue = 2, InfoReason = 1, InfoDomain = 2, InfoMetadata = 3, MapKey = 1, MapValue = 2;

    /// <summary>The message; empty where the refusal's text is too long for it.</summary>
    public static ReadOnlyMemory<byte> Of(GrpcStatus status, ServingException refusal)
    {
        if (Encoding.UTF8.GetByteCount(refusal.Message) > LongestMessage) return default;
        var entry = new ArrayBufferWriter<byte>();
        WireWriter.Text(entry, MapKey, "number");
        WireWriter.Text(entry, MapValue, ((int)refusal.Error).ToString(CultureInfo.InvariantCulture));
        var info = new ArrayBufferWriter<byte>();
        WireWriter.Text(info, InfoReason, Reason(refusal.Error));
        WireWriter.Text(info, InfoDomain, Domain);
        WireWriter.Bytes(info, InfoMetadata, entry.WrittenSpan);
        var any = new ArrayBufferWriter<byte>();
        WireWriter.Text(any, AnyType, "type.googleapis.com/google.rpc.ErrorInfo");
        WireWriter.Bytes(any, AnyValue, info.WrittenSpan);
        var message = new ArrayBufferWriter<byte>();
        WireWriter.Tag(message, StatusCode, WireType.Varint);
        WireWriter.Varint(message, (ulong)status);
        WireWriter.Text(message, StatusMessage, refusal.Message);
        WireWriter.Bytes(message, StatusDetails, any.WrittenSpan);
        return message.WrittenMemory;
    }

    /// <summary>A refusal's name as reasons are written: <c>MODEL_NOT_FOUND</c>.</summary>
    internal static string Reason(ServingError error)
    {
        var reason = new StringBuilder();
        foreach (char letter in error.ToString())
        {
            if (char.IsAsciiLetterUpper(letter) && reason.Length > 0) reason.Append('_');
            reason.Append(char.ToUpperInvariant(letter));
        }
        return reason.ToString();
    }
}
