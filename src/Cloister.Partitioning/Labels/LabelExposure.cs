using System.Collections.Immutable;

namespace Cloister.Partitioning.Labels;

/// <summary>What an observer learns of the answer from the last tensors that cross to the inside.</summary>
/// <param name="Tensors">Names of the tensors: the model's output, or those of a tail cut.</param>
/// <param name="Probes">Ways of naming pictures by them.</param>
public sealed record LabelExposure(ImmutableArray<string> Tensors, ImmutableArray<LabelProbe> Probes)
{
    /// <summary>Whether a probe finds more than chance.</summary>
    public bool Found => Probes.Any(probe => probe.Found);

    /// <summary>1 less what the best probe names beyond chance, from the upper bounds: 0 to 1.</summary>
    public double Protection => Probes.Min(probe => probe.Protection);
}
