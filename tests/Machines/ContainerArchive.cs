using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Machines;

/// <summary>A <c>docker save</c> archive of one layer: BusyBox and a file that it greets with.</summary>
internal static class ContainerArchive
{
    public const string Greeting = "greetings from a container";

    public static void Write(string path)
    {
        byte[] layer = Tar(("bin/busybox", File.ReadAllBytes(BusyBox()), true), ("etc/greeting", Encoding.UTF8.GetBytes(Greeting + "\n"), false));
        string digest = Convert.ToHexStringLower(SHA256.HashData(layer));
        byte[] configuration = Encoding.UTF8.GetBytes($$$"""
            {"architecture":"amd64","os":"linux","config":{"User":"1000","Env":["GREETING=/etc/greeting"],"Entrypoint":["/bin/busybox"],"Cmd":["cat","/etc/greeting"],"WorkingDir":"/etc"},"rootfs":{"type":"layers","diff_ids":["sha256:{{{digest}}}"]}}
            """);
        string name = Convert.ToHexStringLower(SHA256.HashData(configuration)) + ".json";
        File.WriteAllBytes(path, Tar(
            ("layer.tar", layer, false), (name, configuration, false),
            ("manifest.json", Encoding.UTF8.GetBytes($$"""[{"Config":"{{name}}","RepoTags":["greeter:1"],"Layers":["layer.tar"]}]"""), false)));
    }

    private static string BusyBox() => new[] { "/bin/busybox", "/usr/bin/busybox" }.First(File.Exists);

    private static byte[] Tar(params (string Name, byte[] Content, bool Executable)[] files)
    {
        var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach ((string name, byte[] content, bool executable) in files)
            {
                writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(content),
                    Mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead | (executable ? UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : 0),
                });
            }
        }
        return bytes.ToArray();
    }
}
