namespace Cloister.Homomorphic.Models;

/// <summary>Opens compiled models.</summary>
public static class CompiledModels
{
    /// <summary>Reads a compiled model and prepares it to answer.</summary>
    /// <param name="file">The whole file; trailing bytes are refused.</param>
    /// <exception cref="HomomorphicException">The file is refused: it is malformed, of another version, or its parameters are not secure.</exception>
    public static CompiledModel Read(ReadOnlySpan<byte> file)
    {
        ClientSpecification client = CompiledModelFile.Read(file, out int serverAt);
        ReadOnlySpan<byte> server = file[serverAt..];
        return client.Design switch
        {
            ModelDesign.Linear => LinearCircuit.Read(client, server),
            ModelDesign.Forest => ForestServerHalf.Read(client, server),
            _ => throw new HomomorphicException(HomomorphicError.CompiledModelVersion, $"This program cannot compute {client.Design} models."),
        };
    }

    /// <summary>Never throws anything but a refusal.</summary>
    public static void Fuzz(ReadOnlySpan<byte> file)
    {
        try
        {
            using CompiledModel model = Read(file);
            if (!model.ToBytes().AsSpan().SequenceEqual(file)) throw new InvalidOperationException("A compiled model was read that would be written otherwise.");
        }
        catch (HomomorphicException refusal)
        {
            _ = refusal.Message;
        }
    }
}
