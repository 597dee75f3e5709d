using Cloister.Serving.Callers;
using Cloister.Serving.Metrics;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Status;

/// <summary>What whoever asks may see of the server's operation.</summary>
/// <param name="IsNamed">Whether it is a caller that the manifest names, or everything is open.</param>
/// <param name="Sees">Whether figures of a model may be shown. Traffic tells on its callers, so it takes the right to use the model, or to administer models.</param>
internal sealed record Viewer(bool IsNamed, Func<string, bool> Sees)
{
    /// <summary>Looks at the request.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.CredentialRefused"/>: a token was sent that is not right.</exception>
    public static Viewer Of(HttpContext http, CallerRegistry callers, bool open)
    {
        if (open) return new Viewer(true, _ => true);
        IReadOnlyList<Caller> named = callers.Recognise(http);
        // Requests for names that are not served belong to nobody.
        return named.Count == 0 ? new Viewer(false, _ => false) : new Viewer(true, model => model.Length == 0 || model == LabelValues.Other.First || named.Any(caller => caller.AdministersModels || caller.MayUse(model)));
    }
}
