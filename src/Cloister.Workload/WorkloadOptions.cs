using System.Globalization;
using Cloister.Protocol.Trust;

namespace Cloister.Workload;

/// <summary>
/// What a workload is told from outside. Nothing here decides whom it trusts: that is the coordinator policy,
/// a file in the measured folder of the program.
/// </summary>
public sealed record WorkloadOptions
{
    /// <summary>The coordinator's mesh address, <c>host:port</c> (<c>EDG_MARBLE_COORDINATOR_ADDR</c>).</summary>
    public string CoordinatorAddress { get; init; } = "localhost:2001";

    /// <summary>The marble of the manifest that this workload is (<c>EDG_MARBLE_TYPE</c>, required).</summary>
    public required string MarbleType { get; init; }

    /// <summary>DNS names and IP addresses for the certificate (<c>EDG_MARBLE_DNS_NAMES</c>, comma-separated).</summary>
    public IReadOnlyList<string> DnsNames { get; init; } = ["localhost"];

    /// <summary>Where the workload's UUID is kept between starts (<c>EDG_MARBLE_UUID_FILE</c>; <c>uuid</c> in the working directory).</summary>
    public string UuidFile { get; init; } = Path.Combine(Environment.CurrentDirectory, "uuid");

    /// <summary>The workload's UUID where whoever starts it knows it; then no file is read or written.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>
    /// The policy for the coordinator. It must lie in what is measured of the program; there is no environment
    /// variable for it, because the operator sets those.
    /// </summary>
    public string CoordinatorPolicyFile { get; init; } = Path.Combine(AppContext.BaseDirectory, CoordinatorPolicy.FileName);

    /// <summary>The simulator's socket (<c>CLOISTER_SIMULATOR</c>), where there is no TEE.</summary>
    public string? SimulatorSocket { get; init; }

    /// <summary>This machine's TPM (<c>CLOISTER_TPM</c>), such as <c>/dev/tpmrm0</c>; it comes before a simulator.</summary>
    public string? Tpm { get; init; }

    /// <summary>
    /// How often a running workload asks the coordinator which manifest is in force (<c>CLOISTER_MANIFEST_POLL</c>, seconds; 0: only when
    /// the certificate is renewed). Rights that a newer manifest takes away end within this time.
    /// </summary>
    public TimeSpan ManifestPoll { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Reads the options from the process's environment.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidOptions"/>: a variable is missing or malformed.</exception>
    public static WorkloadOptions FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    /// <summary>Reads the options from <paramref name="variable"/>, which answers a variable's value or null.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidOptions"/>: a variable is missing or malformed.</exception>
    public static WorkloadOptions FromEnvironment(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        string? Get(string name) => variable(name) is { Length: > 0 } value ? value : null;

        var defaults = new WorkloadOptions { MarbleType = Get("EDG_MARBLE_TYPE") ?? throw Invalid("EDG_MARBLE_TYPE is not set. Set it to the marble's name in the manifest.") };
        var options = defaults with
        {
            CoordinatorAddress = Get("EDG_MARBLE_COORDINATOR_ADDR") ?? defaults.CoordinatorAddress,
            DnsNames = Get("EDG_MARBLE_DNS_NAMES")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? defaults.DnsNames,
            UuidFile = Get("EDG_MARBLE_UUID_FILE") ?? defaults.UuidFile,
            SimulatorSocket = Get("CLOISTER_SIMULATOR"),
            Tpm = Get("CLOISTER_TPM"),
            ManifestPoll = Poll(Get("CLOISTER_MANIFEST_POLL"), defaults.ManifestPoll),
        };
        options.Validate();
        return options;
    }

    /// <summary>The coordinator's address as a URI.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidOptions"/>.</exception>
    internal Uri CoordinatorUri()
    {
        int colon = CoordinatorAddress.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(CoordinatorAddress.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0
            || !Uri.TryCreate("https://" + CoordinatorAddress, UriKind.Absolute, out Uri? uri) || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
            throw Invalid($"The coordinator address '{CoordinatorAddress}' is not of the form host:port, such as localhost:2001.");
        return uri;
    }

    /// <summary>Refuses options that cannot work, before anything is sent.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidOptions"/>.</exception>
    internal void Validate()
    {
        _ = CoordinatorUri();
        if (string.IsNullOrWhiteSpace(MarbleType))
            throw Invalid("The marble type is empty. Set it to the marble's name in the manifest.");
        if (DnsNames.Count is 0 or > 64)
            throw Invalid($"{DnsNames.Count} DNS names were given; a certificate takes 1 to 64.");
        if (ManifestPoll != Timeout.InfiniteTimeSpan && (ManifestPoll <= TimeSpan.Zero || ManifestPoll > TimeSpan.FromDays(1)))
            throw Invalid("The interval at which the manifest is asked for is more than nothing and at most a day.");
        foreach (string name in DnsNames)
        {
            if (Uri.CheckHostName(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name) == UriHostNameType.Unknown)
                throw Invalid($"'{name}' is neither a DNS name nor an IP address.");
        }
    }

    private static TimeSpan Poll(string? seconds, TimeSpan otherwise)
    {
        if (seconds is null) return otherwise;
        if (!uint.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) || number > 86_400)
            throw Invalid($"CLOISTER_MANIFEST_POLL is '{seconds}'; it is a number of seconds from 0 to 86400.");
        return number == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(number);
    }

    private static WorkloadException Invalid(string message) => new(WorkloadError.InvalidOptions, message);
}
