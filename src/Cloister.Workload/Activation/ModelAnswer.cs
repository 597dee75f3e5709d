using System.Collections.Immutable;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>Checks and takes over the models that an answer brings.</summary>
internal static class ModelAnswer
{
    private const int ModelKeyBytes = 32, Sha256Bytes = 32;

    /// <summary>What is wrong with an answer's models; null if nothing is.</summary>
    public static string? Wrong(ActivationResp answer) =>
        answer.Models.Select(m => m.Name).Distinct(StringComparer.Ordinal).Count() != answer.Models.Count
            ? "it brings a model twice"
            : answer.Models.Select(Wrong).FirstOrDefault(wrong => wrong is not null);

    /// <summary>A model that nothing is wrong with, its key copied.</summary>
    public static ModelGrant Read(Protocol.Marble.ModelGrant model) =>
        new(model.Name, Convert.ToHexStringLower(model.Digest.Span), model.MakerKey.ToByteArray(), model.MinimumVersion, SecretBytes.Copy(model.Key.Span))
        {
            Mode = Mode(model),
            Partition = Partition(model),
        };

    /// <summary>Whether an answer brings the very model that is held. Its key may be gone from memory by now; the digest covers what the key opens.</summary>
    public static bool IsSame(Protocol.Marble.ModelGrant model, ModelGrant held) =>
        model.Name == held.Name && Convert.ToHexStringLower(model.Digest.Span) == held.Digest && model.MinimumVersion == held.MinimumVersion
        && model.MakerKey.Span.SequenceEqual(held.MakerKey.Span) && Mode(model) == held.Mode && Equals(Partition(model), held.Partition);

    /// <summary>By model: the modes that a workload states in its evidence.</summary>
    public static ImmutableSortedDictionary<string, string> Modes(ActivationResp answer) =>
        answer.Models.Where(model => model.Mode.Length > 0).ToImmutableSortedDictionary(model => model.Name, model => model.Mode, StringComparer.Ordinal);

    private static string? Wrong(Protocol.Marble.ModelGrant model)
    {
        if (model.Name.Length == 0) return "it brings a model without a name";
        if (model.Digest.Length != Sha256Bytes) return $"the digest of model '{model.Name}' is not {Sha256Bytes} bytes";
        if (model.Key.Length != ModelKeyBytes) return $"the key of model '{model.Name}' is not {ModelKeyBytes} bytes";
        if (model.MakerKey.IsEmpty) return $"model '{model.Name}' has no maker's key";
        if (model.Mode is not ("" or ModelModes.Enclave or ModelModes.Partitioned or ModelModes.Encrypted)) return $"this program does not know the mode of model '{model.Name}'";
        if (model.Partition is not null != (model.Mode == ModelModes.Partitioned)) return $"model '{model.Name}' is partitioned and nothing is demanded of its report, or the other way round";
        if (model.Partition is not { } partition) return null;
        if (partition.AssessorKey.IsEmpty) return $"model '{model.Name}' has no assessor's key";
        if (partition.MinimumScores.Any(score => !PartitionScores.All.Contains(score.Name) || score.Minimum is not (>= 0 and <= 1)))
            return $"a minimum score of model '{model.Name}' has an unknown name, or is not from 0 to 1";
        return partition.MinimumScores.DistinctBy(score => score.Name).Count() != partition.MinimumScores.Count ? $"model '{model.Name}' has a minimum score twice" : null;
    }

    private static string? Mode(Protocol.Marble.ModelGrant model) => model.Mode.Length == 0 ? null : model.Mode;

    private static PartitionDemands? Partition(Protocol.Marble.ModelGrant model) => model.Partition is not { } partition ? null
        : new(partition.AssessorKey.ToByteArray(), partition.MinimumScores.ToImmutableSortedDictionary(score => score.Name, score => score.Minimum, StringComparer.Ordinal));
}
