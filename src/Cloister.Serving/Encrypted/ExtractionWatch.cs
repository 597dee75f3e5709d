using Cloister.Homomorphic.Models;
using Cloister.Serving.Callers;
using Cloister.Serving.Repository;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Encrypted;

/// <summary>
/// Says loudly who could copy an encrypted model by asking it: a linear model of F features is determined by F + 1 answered rows, whatever
/// the encryption is, so that nothing but a quota is in the way; one without circuit privacy by a single answer.
/// </summary>
internal sealed class ExtractionWatch(CallerRegistry callers, ILogger logger)
{
    private const int Named = 5;

    /// <summary>Looks at a model that was opened, or under rights that changed.</summary>
    public void Look(ServedModel served)
    {
        if (served.Engine is not HomomorphicEngine { Model.Client: var client }) return;
        IReadOnlyList<string> unlimited = callers.WithoutRowLimit(served.Name);
        if (unlimited.Count == 0) return;
        string who = string.Join(", ", unlimited.Take(Named)) + (unlimited.Count > Named ? $" and {unlimited.Count - Named} more" : "");
        // Without circuit privacy the part of an answer that is needed to decrypt it is the query's known part times the weights.
        if (client is { Design: ModelDesign.Linear, Parameters.CircuitPrivacy: false }) logger.OpenLinearWithoutQuota(served.Name, who);
        else if (client.Design == ModelDesign.Linear) logger.LinearWithoutQuota(served.Name, who, client.Features.Count + 1L);
        else logger.ForestWithoutQuota(served.Name, who);
    }
}
