using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Images;

namespace Cloister.Tests;

public sealed class ImageDefinitionTests
{
    internal const string Whole = """
        {
          "name": "shop", "product": 7, "version": 3, "debug": false,
          "machine": { "memory": 1024, "cpus": 2 },
          "start": "server",
          "entries": {
            "server": {
              "command": ["/opt/shop/server", "--port", 8080], "arguments": true, "directory": "/opt/shop", "user": 1001,
              "environment": { "TZ": "UTC", "A": "1" }, "allowedEnvironment": ["LANG"],
              "marble": "shop", "activation": "agent", "tpm": true
            },
            "date": { "command": ["/bin/busybox", "date"] }
          },
          "files": [
            { "packages": ["libc6"], "without": ["perl-base"] },
            { "directory": "rootfs", "to": "/opt/shop" },
            { "archive": "container.tar" },
            { "programs": "cloister" }
          ],
          "network": { "listen": [8080, 443], "connect": ["coordinator", "10.0.2.2:5432"], "address": "10.0.2.15/24", "gateway": "10.0.2.2" },
          "mounts": [{ "path": "/var/cache/shop", "size": 32, "user": 1001 }],
          "disks": [{ "name": "orders", "path": "/var/lib/shop", "size": 16, "key": "file:/keys/orders", "user": 1001 }],
          "console": "programs",
          "coordinatorPolicy": "policy.json"
        }
        """;

    [Fact]
    public void A_definition_is_read_with_its_defaults()
    {
        ImageDefinition shop = Read(Whole);
        Assert.Equal("8080", shop.Entries["server"].Command[2]);
        Assert.Equal("/opt/cloister", shop.Files[3].To);
        Assert.Equal(EntryActivation.Agent, shop.Entries["server"].Activation);
        Assert.Equal(1000, shop.Entries["date"].User);
        Assert.Equal(new MemoryMount("/var/cache/shop", 32, 1001), shop.Mounts[0]);

        ImageDefinition least = Read("""{ "name": "x", "entries": { "a": { "command": ["/a"] } } }""");
        Assert.Equal((512, 1), (least.Machine.Memory, least.Machine.Cpus));
        Assert.Equal(ConsoleOutput.Lifecycle, least.Console);
        Assert.Empty(least.Network.Listen);
        Assert.Null(least.Start);
    }

    [Fact]
    public void Canonical_JSON_is_one_form_of_one_definition()
    {
        byte[] written = ImageDefinitionJson.Write(Read(Whole));
        Assert.Equal(written, ImageDefinitionJson.Write(ImageDefinitionReader.Read(written)));
        // The layout of docs/formats/image-definition.md; it is measured, so a change of it changes every image.
        Assert.Equal("fe097c044aad09e99fdb8586a690139cb80f582ef", Convert.ToHexStringLower(SHA256.HashData(written))[..41]);
    }

    [Theory]
    [InlineData("name", "\"Shop\"", "name")]
    [InlineData("name", "null", "name")]
    [InlineData("name", "\"\\ud800\"", "Unicode")]
    [InlineData("version", "65536", "version")]
    [InlineData("version", "\"1\"", "version")]
    [InlineData("debug", "\"yes\"", "debug")]
    [InlineData("ports", "[1]", "ports")]
    [InlineData("start", "\"nobody\"", "start")]
    [InlineData("entries", "{}", "entries")]
    [InlineData("entries", "[]", "entries")]
    [InlineData("entries", """{"Big":{"command":["/a"]}}""", "entries.Big")]
    [InlineData("entries", """{"a":{}}""", "entries.a.command")]
    [InlineData("entries", """{"a":{"command":["date"]}}""", "entries.a.command[0]")]
    [InlineData("entries", """{"a":{"command":["/bin/../a"]}}""", "entries.a.command[0]")]
    [InlineData("entries", """{"a":{"command":"/a"}}""", "entries.a.command")]
    [InlineData("entries", """{"a":{"command":["/a"],"user":0}}""", "entries.a.user")]
    [InlineData("entries", """{"a":{"command":["/a"],"directory":"x"}}""", "entries.a.directory")]
    [InlineData("entries", """{"a":{"command":["/a"],"shell":true}}""", "entries.a.shell")]
    [InlineData("entries", """{"a":{"command":["/a"]},"a":{"command":["/b"]}}""", "entries.a")]
    [InlineData("entries", """{"a":{"command":["/a"],"environment":{"A=B":"x"}}}""", "entries.a.environment")]
    [InlineData("entries", """{"a":{"command":["/a"],"environment":{"A":"x"},"allowedEnvironment":["A"]}}""", "entries.a.allowedEnvironment")]
    [InlineData("entries", """{"a":{"command":["/a"],"allowedEnvironment":["LD_PRELOAD"]}}""", "LD_PRELOAD")]
    [InlineData("entries", """{"a":{"command":["/a"],"activation":"agent"}}""", "entries.a.marble")]
    [InlineData("entries", """{"a":{"command":["/a"],"activation":"self"}}""", "entries.a.activation")]
    [InlineData("files", """[{}]""", "files[0]")]
    [InlineData("files", """[{"directory":"a","archive":"b"}]""", "files[0]")]
    [InlineData("files", """[{"directory":"a","to":"opt"}]""", "files[0].to")]
    [InlineData("files", """[{"directory":"a","to":"/cloister/agent"}]""", "files[0].to")]
    [InlineData("files", """[{"packages":["-o=x"]}]""", "files[0]")]
    [InlineData("files", """[{"packages":["perl-"]}]""", "files[0]")]
    [InlineData("files", """[{"packages":["perl"],"without":["perl"]}]""", "files[0]")]
    [InlineData("files", """[{"packages":["libc6"],"to":"/x"}]""", "files[0].to")]
    [InlineData("files", """[{"programs":"bash"}]""", "files[0].programs")]
    [InlineData("network", """{"listen":[80,80]}""", "network.listen")]
    [InlineData("network", """{"listen":[0]}""", "network.listen[0]")]
    [InlineData("network", """{"connect":["example.org:443"]}""", "network.connect")]
    [InlineData("network", """{"connect":["10.0.2.2"]}""", "network.connect")]
    [InlineData("network", """{"address":"10.0.2.15"}""", "network.address")]
    [InlineData("network", """{"gateway":"192.168.0.1"}""", "network.gateway")]
    [InlineData("mounts", """[{"path":"/a"},{"path":"/a/b"}]""", "mounts[1].path")]
    [InlineData("mounts", """[{"path":"/var/lib/shop/x"}]""", "disks[0].path")]
    [InlineData("mounts", """[{"path":"/"}]""", "mounts[0].path")]
    [InlineData("mounts", """[{"path":"/dev/shm"}]""", "mounts[0].path")]
    [InlineData("mounts", """[{"path":"relative"}]""", "mounts[0].path")]
    [InlineData("disks", """[{"name":"a","path":"/a","size":1,"key":"passphrase"}]""", "disks[0].key")]
    [InlineData("disks", """[{"name":"a","path":"/a","key":"file:/k"}]""", "disks[0].size")]
    [InlineData("disks", """[{"name":"a","path":"/a","size":65537,"key":"file:/k"}]""", "disks[0].size")]
    [InlineData("disks", """[{"name":"a23456789012345678901","path":"/a","size":1,"key":"file:/k"}]""", "disks[0].name")]
    [InlineData("disks", """[{"name":"a","path":"/a","size":1,"key":"file:/k","commit":86401}]""", "disks[0].commit")]
    [InlineData("disks", """[{"name":"a","path":"/a","size":1,"key":"file:/k","scope":"nobody"}]""", "disks[0].scope")]
    [InlineData("disks", """[{"name":"a","path":"/a","size":1,"key":"file:/k"},{"name":"a","path":"/b","size":1,"key":"file:/k"}]""", "disks")]
    [InlineData("console", "\"all\"", "console")]
    [InlineData("coordinatorPolicy", "null", "coordinatorPolicy")]
    public void What_is_wrong_is_refused_and_named(string member, string value, string named)
    {
        string text = Replace(member, value);
        ImageException refused = Assert.Throws<ImageException>(() => Read(text));
        Assert.Equal(ImageError.DefinitionInvalid, refused.Error);
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        ImageException refused = Assert.Throws<ImageException>(() => Read("""{ "name": "X", "start": "b", "entries": { "a": { "command": ["a"] } } }"""));
        Assert.Equal(3, refused.Message.Split('\n').Length);
    }

    [Fact]
    public void Root_runs_programs_in_a_debug_image_only() =>
        Assert.Equal(0, Read("""{ "name": "x", "debug": true, "entries": { "a": { "command": ["/a"], "user": 0 } } }""").Entries["a"].User);

    [Fact]
    public void Too_little_memory_is_refused_with_what_is_needed()
    {
        ImageException refused = Assert.Throws<ImageException>(() => Read(Replace("machine", """{"memory":256}""")));
        Assert.Equal(ImageError.MemoryTooSmall, refused.Error);
        Assert.Contains("at least 314", refused.Message, StringComparison.Ordinal);
        Assert.Contains("/var/cache/shop", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_bytes_give_a_definition_or_a_refusal()
    {
        byte[] valid = Encoding.UTF8.GetBytes(Whole);
        var random = new Random(7);
        for (int round = 0; round < 4000; round++)
        {
            byte[] mutated = (byte[])valid.Clone();
            for (int change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            ImageDefinitionReader.Fuzz(mutated.AsSpan(0, random.Next(8) == 0 ? random.Next(mutated.Length) : mutated.Length));
        }
        ImageDefinitionReader.Fuzz(new byte[ImageDefinitionReader.MaximumSize + 1]);
    }

    internal static ImageDefinition Read(string json) => ImageDefinitionReader.Read(Encoding.UTF8.GetBytes(json));

    // By text, since a node would not hold what some cases put there (a name twice, half a surrogate pair).
    private static string Replace(string member, string value)
    {
        JsonObject whole = JsonNode.Parse(Whole)!.AsObject();
        whole.Remove(member);
        if (member == "entries")
        {
            foreach (string other in new[] { "start", "disks" })
                whole.Remove(other);
        }
        return $"{whole.ToJsonString()[..^1]},\"{member}\":{value}}}";
    }
}
