namespace Cloister.Images;

/// <summary>What is wrong with an image, its sources or its machine. Numbers are stable and append-only: 1xx what was given, 2xx building, 3xx starting and running, 4xx inside, 5xx sealed disks.</summary>
public enum ImageError
{
    /// <summary>The image's definition is not one; the message names the member.</summary>
    DefinitionInvalid = 100,
}
