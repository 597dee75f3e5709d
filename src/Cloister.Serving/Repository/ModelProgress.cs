namespace Cloister.Serving;

/// <summary>How far a model is on its way to be served.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="State">Where it stands.</param>
/// <param name="BytesRead">How much of it was decrypted and checked.</param>
/// <param name="BytesTotal">How much there is; 0 until the file is open.</param>
/// <param name="Reason">Why it is unavailable, if it is.</param>
public sealed record ModelProgress(string Model, ModelState State, long BytesRead, long BytesTotal, string? Reason = null);
