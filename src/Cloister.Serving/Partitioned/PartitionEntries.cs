using Cloister.Protocol.Manifest;
using Cloister.Sealing;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Repository;
using Cloister.Workload;

namespace Cloister.Serving.Partitioned;

/// <summary>The sealed entries of a model in parts, and the mode that a sealed file is made for.</summary>
public static class PartitionEntries
{
    /// <summary>The part that runs inside, from the model's inputs to the cut.</summary>
    public const string Front = "front.onnx";

    /// <summary>The part that accelerators are given in the clear.</summary>
    public const string Back = "back.onnx";

    /// <summary>The part that runs inside again, to the model's outputs; not every model has one.</summary>
    public const string Tail = "tail.onnx";

    /// <summary>The largest part, in bytes: protobuf allows no more.</summary>
    public const int MaximumPartBytes = int.MaxValue - 64;

    /// <summary>The mode, a word of <see cref="ModelModes"/>, that a sealed file's entries are made for; <see cref="ModelModes.Enclave"/> if nothing tells another.</summary>
    /// <param name="entries">The names of its entries.</param>
    public static string ModeOf(IEnumerable<string> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        string mode = ModelModes.Enclave;
        foreach (string entry in entries)
        {
            if (entry is Front or Back or Tail or SignedPartitionReport.Name) return ModelModes.Partitioned;
            if (entry == CompiledModelEntry.Name) mode = ModelModes.Encrypted;
        }
        return mode;
    }

    /// <summary>Refuses a sealed file that is made for another mode than its grant names.</summary>
    /// <returns>The mode.</returns>
    /// <exception cref="ServingException"><see cref="ServingError.ModeRefused"/>.</exception>
    internal static string DemandMode(ModelGrant grant, string file, SealedReader reader)
    {
        string made = ModeOf(reader.Header.Entries.Select(entry => entry.Name));
        if (grant.Mode is null)
        {
            return made != ModelModes.Partitioned ? made : throw Refused(
                $"{file} holds a model in parts, which an accelerator outside computes with, and the manifest does not name this mode: let it say \"Mode\": \"{ModelModes.Partitioned}\" for '{grant.Name}', or seal the whole model");
        }
        if (grant.Mode == ModelModes.Masked) throw Refused($"the manifest's mode '{ModelModes.Masked}' for '{grant.Name}' is not built in this version; name another");
        if (!ModelModes.All.Contains(grant.Mode)) throw Refused($"the manifest's mode '{grant.Mode}' for '{grant.Name}' is unknown; known are {string.Join(", ", ModelModes.All)}");
        return grant.Mode == made ? made : throw Refused($"the manifest's mode for '{grant.Name}' is '{grant.Mode}', and {file} is made for '{made}': seal it for that mode, or name this one");
    }

    /// <summary>Refuses entries and a configuration that have no meaning in a model in parts.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.EntryRefused"/>, <see cref="ServingError.ConfigurationRefused"/> or <see cref="ServingError.PartitionRefused"/>.</exception>
    internal static void Demand(string file, SealedReader reader, ModelConfiguration configuration)
    {
        foreach (string needed in (string[])[Front, Back, SignedPartitionReport.Name])
            if (!reader.Contains(needed)) throw new ServingException(ServingError.EntryRefused, $"{file} holds a model in parts, but no entry {needed}; seal it with --partition and the folder that `cloister model partition` wrote.");
        foreach (SealedEntry entry in reader.Header.Entries)
        {
            if (entry.Name is not (Front or Back or Tail or SignedPartitionReport.Name or SealedModelLoader.LabelsEntry or SealedModelLoader.ConfigurationEntry or SealedModelLoader.WarmUpEntry))
                throw new ServingException(ServingError.EntryRefused, $"{file} holds an entry '{entry.Name}' beside a model in parts, which nothing uses; seal it without.");
            if (entry.Name is Front or Back or Tail && entry.Length > MaximumPartBytes)
                throw new ServingException(ServingError.PartitionRefused, $"{entry.Name} is larger than 2 GiB, which protobuf does not allow.");
        }
        Demand(configuration);
    }

    /// <summary>Refuses a configuration that asks for what a model in parts cannot do.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ConfigurationRefused"/>.</exception>
    public static void Demand(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration.Batching is { Forbidden: false })
            throw new ServingException(ServingError.ConfigurationRefused, "config.json is refused: a model in parts has no 'batching', for its requests are joined on their way to the accelerators; say 'maxBatchSize' in 'partition'.");
    }

    /// <summary>Refuses labels whose bytes would tell which one it is.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.LabelsRefused"/>.</exception>
    public static void Demand(ModelLabels labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ObliviousLabels.Demand(labels);
    }

    private static ServingException Refused(string reason) => new(ServingError.ModeRefused, $"{char.ToUpperInvariant(reason[0])}{reason[1..]}.");
}
