using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;

namespace Cloister.Workload;

/// <summary>A refusal that may pass by waiting, in words.</summary>
/// <param name="Message">What is waited for, and the coordinator's own reason.</param>
/// <param name="AwaitedSecrets">The secrets whose owner has not uploaded them; empty if something else is waited for.</param>
internal sealed record CoordinatorRefusal(string Message, IReadOnlyList<string> AwaitedSecrets)
{
    private const int MaxNames = 64, MaxText = 500;

    /// <summary>Tells what may pass from what is final.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.ActivationRefused"/>: waiting does not help.</exception>
    public static CoordinatorRefusal Read(GrpcException refusal)
    {
        string[] awaited = Awaited(refusal);
        if (awaited.Length > 0)
            return new($"Waits for the model owner's key{(awaited.Length > 1 ? "s" : "")} {string.Join(", ", awaited.Select(n => $"'{n}'"))}.", awaited);
        string detail = Printable(refusal.Detail);
        return refusal.Status switch
        {
            GrpcStatus.Unavailable or GrpcStatus.DeadlineExceeded or GrpcStatus.Cancelled => new($"The coordinator cannot be reached: {detail}.", []),
            GrpcStatus.ResourceExhausted => new($"The coordinator is busy: {detail}.", []),
            GrpcStatus.FailedPrecondition => new($"The coordinator is not ready: {detail}.", []),
            GrpcStatus.Aborted => new($"Another request came between: {detail}.", []),
            _ => throw new WorkloadException(WorkloadError.ActivationRefused, $"The coordinator refused this workload ({refusal.Status}): {detail}", refusal),
        };
    }

    private static string[] Awaited(GrpcException refusal)
    {
        if (refusal.Status != GrpcStatus.Internal || !refusal.Trailers.TryGetValue(MarbleService.AwaitingSecretTrailer, out string? names))
            return [];
        // Each name is percent-encoded, because a trailer holds printable ASCII alone.
        return [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries).Take(MaxNames).Select(n => Printable(Uri.UnescapeDataString(n)))];
    }

    // The text is a peer's: one bounded line, whatever it sent.
    private static string Printable(string text)
    {
        string cut = (text.Length > MaxText ? text[..MaxText] + "…" : text).TrimEnd('.');
        return string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c));
    }
}
