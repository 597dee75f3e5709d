using System.Collections.Immutable;
using Cloister.Attestation.Measurements;

namespace Cloister.Attestation.Tpm;

/// <summary>A measured image as a policy names it: its predicted measurements, and how it is booted.</summary>
/// <param name="Measurements">What the image shows (<c>measurements.json</c>).</param>
/// <param name="Path">How firmware starts it.</param>
/// <param name="AllowDebug">Whether an image that lets its operator in is accepted; such a machine keeps no secret from its operator.</param>
public sealed record TpmImage(ImageMeasurements Measurements, BootPath Path, bool AllowDebug = false)
{
    /// <summary>
    /// The PCRs that pin a unified kernel image: what was started, the partition table, Secure Boot, command line and initrd, the image's
    /// sections, and what overrides them.
    /// </summary>
    public static ImmutableArray<int> Pinned { get; } = [4, 5, 7, 9, 11, 12];

    /// <summary>The values of <see cref="Pinned"/>, each exactly.</summary>
    /// <exception cref="ArgumentException">The image has no measurements for the path.</exception>
    internal ImmutableSortedDictionary<int, Requirement<string>> Pcrs => Measurements.Pcrs.TryGetValue(Path, out ImmutableSortedDictionary<int, string>? values) && Pinned.All(values.ContainsKey)
        ? Pinned.ToImmutableSortedDictionary(pcr => pcr, pcr => Requirement.Exactly(values[pcr]))
        : throw new ArgumentException($"The image has no measurements for the boot path {Path}.", nameof(Path));

    /// <summary>Why no policy can name it so; null if one can.</summary>
    internal (Refusal Refusal, string Field, string Reason)? Problem =>
        Measurements.Debug && !AllowDebug ? (Refusal.PolicyImageDebug, "Debug", $"image '{Measurements.Name}' is a debug image: whoever operates the machine can enter it; \"Debug\": true accepts that")
        : !Measurements.Pcrs.TryGetValue(Path, out ImmutableSortedDictionary<int, string>? values) || !Pinned.All(values.ContainsKey)
            ? (Refusal.PolicyMalformed, "Path", $"image '{Measurements.Name}' has no measurements of PCRs {string.Join(", ", Pinned)} for this path; it has {string.Join(", ", Measurements.Pcrs.Keys)}")
        : null;

    /// <inheritdoc/>
    public override string ToString() => $"image '{Measurements.Name}' version {Measurements.Version} by {Path}";
}
