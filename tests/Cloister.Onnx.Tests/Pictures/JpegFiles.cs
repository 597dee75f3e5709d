using Cloister.Tests;

namespace Cloister.Onnx.Tests.Pictures;

/// <summary>The JPEG files beside this one, and what another decoder makes of them.</summary>
internal static class JpegFiles
{
    private static readonly string Folder = Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Onnx.Tests", "Pictures", "Jpeg");

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name + ".jpg"));

    /// <summary>Name, width, height, digest of the pixels.</summary>
    public static IEnumerable<(string Name, int Width, int Height, string Digest)> Expected() =>
        File.ReadLines(Path.Combine(Folder, "expected.txt")).Select(line => line.Split(' '))
            .Select(fields => (fields[0].Replace(".jpg", "", StringComparison.Ordinal), int.Parse(fields[1], null), int.Parse(fields[2], null), fields[3]));
}
