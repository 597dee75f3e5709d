namespace Cloister.Sealing.Tests;

/// <summary>A folder of its own for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("cloister-sealing-").FullName;

    public string File(string name) => Path.Combine(path, name);

    public string[] Names() => [.. Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(path, recursive: true);
}
