using Cloister.Attestation;
using Cloister.Client;
using Cloister.Client.Pkcs11;
using Cloister.Collateral;
using Cloister.Homomorphic;
using Cloister.Homomorphic.Import;
using Cloister.Images;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning;
using Cloister.Platform;
using Cloister.Protocol;
using Cloister.Sealing;
using Cloister.Serving;
using Cloister.Workload;

namespace Cloister.Cli.CommandLine;

/// <summary>What an exception says to a person, and the exit code of its cause.</summary>
internal sealed record Explanation(ExitCode Code, string Text)
{
    /// <summary>Null for an exception that is a fault of this program: its stack is then what helps.</summary>
    public static Explanation? Of(Exception exception, CancellationToken cancellation) => exception switch
    {
        OperationCanceledException when cancellation.IsCancellationRequested => new(ExitCode.Cancelled, "stopped."),
        CommandException command => new(command.Code, command.Message),
        SealingException sealing => new((int)sealing.Error is >= 200 and < 500 ? ExitCode.Refused : ExitCode.BadInput, sealing.Message),
        AttestationRefusedException refused => new(ExitCode.Refused, Refused(refused.Check)),
        PeerRefusedException refused => new(ExitCode.Refused, refused.Message),
        ClientException client => new(CodeOf(client), client.Message),
        Pkcs11Exception token => new(CodeOf(token), token.Message),
        CollateralException collateral => new((int)collateral.Error is >= 200 and < 300 ? ExitCode.Unavailable : ExitCode.BadInput, collateral.Message),
        ServingException serving => new(serving.Error == ServingError.FlagRefused ? ExitCode.Usage : ExitCode.BadInput, serving.Message),
        WorkloadException workload => new(CodeOf(workload), workload.Message),
        ProtocolException protocol => new(ExitCode.BadInput, $"{protocol.Field}: {protocol.Reason}"),
        PlatformException or OnnxRuntimeLibraryException or PlatformNotSupportedException => new(ExitCode.MissingRequirement, exception.Message),
        HomomorphicException homomorphic => new(CodeOf(homomorphic), $"{homomorphic.Message} ({(int)homomorphic.Error} {homomorphic.Error})"),
        ImportException import => new(ExitCode.BadInput, $"{import.Message} ({(int)import.Error} {import.Error})"),
        ImageException image => new(CodeOf(image), image.Message),
        GraphException graph => new(ExitCode.BadInput, $"{graph.Message} ({(int)graph.Error} {graph.Error})"),
        PartitioningException partitioning => new(CodeOf(partitioning), $"{partitioning.Message} ({(int)partitioning.Error} {partitioning.Error})"),
        OnnxModelException or OnnxRuntimeException or PictureException => new(ExitCode.BadInput, exception.Message),
        UnauthorizedAccessException or IOException => new(ExitCode.BadInput, exception.Message),
        _ => null,
    };

    public static string Refused(Check check) => $"refused: {check.Id}: {check.Reason} (refusal {(int)check.Refusal} {check.Refusal})";

    private static ExitCode CodeOf(ClientException client) => client.Error switch
    {
        ClientError.Unreachable or ClientError.Timeout => ExitCode.Unavailable,
        ClientError.PeerKeyChanged or ClientError.ModelRefused or ClientError.ModeRefused or ClientError.AnswerNotBound => ExitCode.Refused,
        ClientError.RefusedByServer when client.HttpStatus is 401 or 403 => ExitCode.NotPermitted,
        ClientError.RefusedByServer when IsNotReady(client) => ExitCode.Unavailable,
        ClientError.RefusedByServer when client.HttpStatus is 405 or 410 or 429 or 503 => ExitCode.Unavailable,
        _ => ExitCode.BadInput,
    };

    // MarbleRun has the same status for everything; these are its words where the coordinator waits for something else.
    private static readonly string[] NotReady = ["server is not in expected state", "requested value not set", "no update in progress"];

    private static bool IsNotReady(ClientException client) =>
        client.ServerCode is "WrongState" or "NoPendingUpdate" || NotReady.Any(words => client.Message.EndsWith(words, StringComparison.Ordinal));

    private static ExitCode CodeOf(HomomorphicException homomorphic) => homomorphic.Error switch
    {
        HomomorphicError.KeyFilePassphrase or HomomorphicError.InsecureParameters or HomomorphicError.Transparent or HomomorphicError.EnvelopeNotAuthentic => ExitCode.Refused,
        _ => ExitCode.BadInput,
    };

    private static ExitCode CodeOf(PartitioningException partitioning) => partitioning.Error switch
    {
        PartitioningError.AcceleratorOverloaded or PartitioningError.AcceleratorTimeout or PartitioningError.AcceleratorUnavailable => ExitCode.Unavailable,
        PartitioningError.AcceleratorFaulty => ExitCode.Refused,
        PartitioningError.AddressRefused or PartitioningError.PinMissing or PartitioningError.AcceleratorNamedTwice => ExitCode.Usage,
        _ => ExitCode.BadInput,
    };

    private static ExitCode CodeOf(ImageException image) => image.Error switch
    {
        ImageError.ToolMissing or ImageError.AcceleratorUnusable or ImageError.HostMemoryTooSmall => ExitCode.MissingRequirement,
        ImageError.PackagesUnavailable or ImageError.PortInUse or ImageError.MachineRunning or ImageError.MachineNotRunning => ExitCode.Unavailable,
        ImageError.MachineEnded or ImageError.TpmSetupFailed => ExitCode.Failure,
        ImageError.ExecRefused or ImageError.ChannelInvalid => ExitCode.Refused,
        ImageError.MachineOptionInvalid => ExitCode.Usage,
        ImageError.DownloadDiffers or ImageError.LockDiffers or ImageError.MeasurementsDiffer => ExitCode.Refused,
        _ => ExitCode.BadInput,
    };

    private static ExitCode CodeOf(Pkcs11Exception token) => token.Error switch
    {
        Pkcs11Error.ModuleMissing or Pkcs11Error.TlsNotSupported => ExitCode.MissingRequirement,
        Pkcs11Error.LoginRefused => ExitCode.NotPermitted,
        Pkcs11Error.OperationRefused => ExitCode.Refused,
        _ => ExitCode.BadInput,
    };

    private static ExitCode CodeOf(WorkloadException workload) => workload.Error switch
    {
        WorkloadError.CoordinatorRefused or WorkloadError.ActivationRefused or WorkloadError.InvalidAnswer or WorkloadError.ManifestChanged or WorkloadError.CertificateExpired => ExitCode.Refused,
        WorkloadError.EvidenceIssuer => ExitCode.MissingRequirement,
        _ => ExitCode.BadInput,
    };
}
