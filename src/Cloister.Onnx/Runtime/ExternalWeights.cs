namespace Cloister.Onnx.Runtime;

/// <summary>
/// The content of one external data file of a model, in memory: what the <c>location</c> of its initializers names. A session
/// computes on this memory in place and keeps it alive; it must not be written to while a session uses it.
/// </summary>
/// <param name="Buffer">The file's bytes.</param>
public sealed record ExternalWeights(PinnedBuffer Buffer);
