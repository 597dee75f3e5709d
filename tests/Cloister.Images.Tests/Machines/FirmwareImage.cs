using Cloister.Images.Build;

namespace Cloister.Tests.Machines;

/// <summary>A folder with an image's files in which nothing boots: its machine stays in the firmware.</summary>
internal static class FirmwareImage
{
    public const string Definition = """{"name":"firmware","entries":{"date":{"command":["/bin/date"]}},"network":{"listen":[8080]},"machine":{"memory":256}}""";

    public static void Write(string folder, string definition = Definition)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, ImageLayout.Definition), definition);
        File.WriteAllBytes(Path.Combine(folder, ImageLayout.Uki), new byte[64 << 10]);
        File.WriteAllBytes(Path.Combine(folder, ImageLayout.Root), new byte[1 << 20]);
        File.WriteAllText(Path.Combine(folder, ImageLayout.Measurements), "{}");
    }
}
