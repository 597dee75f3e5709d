using Cloister.Protocol.Manifest;

namespace Cloister.Client;

/// <summary>
/// Whether a model may be sent something, by the mode that a verified manifest states of it. A workload proves that it states the modes of the
/// models that its type holds: of any other model it promises nothing, whatever the manifest has by that name.
/// </summary>
public static class ModeDemand
{
    /// <summary>Refuses a model that is not in the wanted mode.</summary>
    /// <param name="manifest">The manifest in force, verified.</param>
    /// <param name="workloadType">The type of the workload that is asked.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="wanted">
    /// A word of <see cref="ModelModes"/>. Null: any, or none that is stated, but for <see cref="ModelModes.Partitioned"/>, the one in which
    /// somebody outside sees what is made of the input: who wants that says it.
    /// </param>
    /// <exception cref="ClientException"><see cref="ClientError.ModeRefused"/>.</exception>
    public static void Require(ManifestDocument manifest, string workloadType, string model, string? wanted)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!manifest.Marbles.TryGetValue(workloadType, out ManifestMarble? marble) || !marble.Models.Contains(model))
        {
            // Without a demand the server says that it has no such model.
            if (wanted is null) return;
            throw Refused($"by the manifest in force workloads of type '{workloadType}' do not hold the model '{model}', so none of them states its mode, and {wanted} is asked for");
        }
        string? stated = manifest.Models.TryGetValue(model, out ManifestModel? found) ? found.Mode : null;
        if (wanted is null && stated == ModelModes.Partitioned)
            throw Refused($"the manifest in force has the model '{model}' in the mode {stated}: {ModelModes.Meaning(stated)}. Ask for that mode by its name if you want it");
        if (wanted is not null && stated != wanted)
            throw Refused($"the manifest in force {(stated is null ? $"states no mode for the model '{model}'" : $"has the model '{model}' in the mode {stated}")}, and {wanted} is asked for");
    }

    private static ClientException Refused(string reason) => new(ClientError.ModeRefused, $"Nothing was sent: {reason}.");
}
