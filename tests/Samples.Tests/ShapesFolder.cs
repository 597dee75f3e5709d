using Cloister.Tests;

namespace Cloister.Samples.Tests;

/// <summary>The committed files of samples/Shapes.</summary>
internal static class ShapesFolder
{
    public static string Path { get; } = System.IO.Path.Combine(TestData.RepositoryRoot, "samples", "Shapes");

    public static byte[] Read(string relative) => File.ReadAllBytes(System.IO.Path.Combine(Path, relative));
}
