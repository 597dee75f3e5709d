namespace Cloister.Onnx.Runtime;

/// <summary>
/// Where ONNX Runtime may look for external data while it loads a model: nowhere, or a private folder with one empty file. It demands
/// that the file of a lent weight exists, but must never read one: a model from memory has no business on the disk. The file is empty so
/// that a read which happens nevertheless (an optimisation that wants the weight's values) fails instead of finding something else.
/// </summary>
internal sealed class WeightsFolder : IDisposable
{
    public const string FileName = "lent";

    private readonly bool _exists;

    private WeightsFolder(string path, bool exists)
    {
        Path = path;
        _exists = exists;
    }

    public string Path { get; }

    /// <summary>A folder that is not there: every external file that a model names is refused.</summary>
    public static WeightsFolder Absent() => new(System.IO.Path.Combine(System.IO.Path.GetTempPath(), "cloister-" + Guid.NewGuid().ToString("N")), exists: false);

    /// <summary>A new folder, open to this user alone, with the one empty file.</summary>
    public static WeightsFolder Create()
    {
        string path = Directory.CreateTempSubdirectory("cloister-").FullName;
        File.Create(System.IO.Path.Combine(path, FileName)).Dispose();
        return new WeightsFolder(path, exists: true);
    }

    public void Dispose()
    {
        if (_exists)
            Directory.Delete(Path, recursive: true);
    }
}
