namespace Cloister.Serving.OpenInference;

/// <summary>An input whose data follows the JSON.</summary>
/// <param name="Input">What was announced.</param>
/// <param name="Size">How many bytes of data it has; for numbers, what the shape wants.</param>
internal readonly record struct BinaryInput(AnnouncedInput Input, long Size);
