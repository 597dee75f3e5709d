namespace Cloister.Cli.Page;

/// <summary>The model that a page asks.</summary>
/// <param name="Workload">The workload's address.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Token">The caller's bearer token, which the browser never sees.</param>
/// <param name="Fingerprint">The verified manifest's.</param>
/// <param name="Simulated">Whether the coordinator's evidence is simulated.</param>
internal sealed record PageTarget(Uri Workload, string Model, string? Token, string Fingerprint, bool Simulated)
{
    private string Root => $"/v2/models/{Uri.EscapeDataString(Model)}/encrypted";

    /// <summary>Whether this is one of the encrypted surface's three requests.</summary>
    public bool Takes(string method, string path) => (method, path) switch
    {
        ("GET", _) => path == Root,
        ("POST", _) => path == Root + "/keys" || path == Root + "/infer",
        _ => false,
    };
}
