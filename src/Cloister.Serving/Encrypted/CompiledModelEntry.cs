using Cloister.Homomorphic;
using Cloister.Homomorphic.Models;
using Cloister.Sealing;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Encrypted;

/// <summary>
/// The sealed entry <c>model.he</c>: a compiled model, which computes on ciphertexts, in place of <c>model.onnx</c>. It says all of itself, classes
/// included, so that beside it there is nothing but <c>config.json</c>.
/// </summary>
public static class CompiledModelEntry
{
    /// <summary>The entry's name.</summary>
    public const string Name = "model.he";

    /// <summary>The largest entry, in bytes.</summary>
    public const int MaximumBytes = 1 << 30;

    /// <summary>Whether bytes begin as a compiled model does (docs/formats/he-model.md), and as no ONNX file can.</summary>
    public static bool Recognises(ReadOnlySpan<byte> bytes) => bytes.StartsWith("CLHEMODL"u8);

    /// <summary>Reads a compiled model.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.CompiledModelRefused"/>.</exception>
    public static CompiledModel Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return CompiledModels.Read(bytes);
        }
        catch (HomomorphicException refusal)
        {
            throw new ServingException(ServingError.CompiledModelRefused, $"{Name} is refused (error {(int)refusal.Error}): {refusal.Message}", refusal);
        }
    }

    /// <summary>Refuses what has no meaning beside a compiled model.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.EntryRefused"/>, <see cref="ServingError.ConfigurationRefused"/> or <see cref="ServingError.CompiledModelRefused"/>.</exception>
    internal static void Demand(string file, SealedReader reader, ModelConfiguration configuration)
    {
        foreach (SealedEntry entry in reader.Header.Entries)
            if (entry.Name is not (Name or SealedModelLoader.ConfigurationEntry))
                throw new ServingException(ServingError.EntryRefused, $"{file} holds an entry '{entry.Name}' beside {Name}, which nothing uses; seal it without.");
        Demand(configuration);
        if (reader.LengthOf(Name) is 0 or > MaximumBytes)
            throw new ServingException(ServingError.CompiledModelRefused, $"{Name} is refused: it is empty, or larger than {MaximumBytes} bytes.");
    }

    /// <summary>Refuses a configuration that asks for what an encrypted model cannot do.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ConfigurationRefused"/>.</exception>
    public static void Demand(ModelConfiguration configuration)
    {
        if (configuration.Batching is { Forbidden: false }) throw Refused("batching", "each query is encrypted under a key of its own");
        if (configuration.WarmUpZeros) throw Refused("warmup", "zeros are no query");
        if (configuration.Preprocess is not null) throw Refused("preprocess", "pictures do not come here");
        if (configuration.Threads != 1) throw Refused("threads", "a query is computed by one thread");
        if (configuration.Partition is not null) throw Refused("partition", "nothing of it runs outside");
        if (configuration.InPlaceFrom != ModelConfiguration.InPlaceByDefault) throw Refused("weights", "it has none of ONNX Runtime's");
    }

    private static ServingException Refused(string member, string reason) =>
        new(ServingError.ConfigurationRefused, $"config.json is refused: an encrypted model has no '{member}', for {reason}.");
}
