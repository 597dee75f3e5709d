using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>What a person learns of a signed enclave before it goes into a manifest.</summary>
public sealed class PackageInfoTests
{
    [Fact]
    public async Task Every_kind_of_enclave_is_read()
    {
        using var folder = new TemporaryFolder();
        byte[] structure = SignedEnclave.Structure();
        await File.WriteAllBytesAsync(folder["ego"], SignedEnclave.Elf(".oeinfo", [.. new byte[100], .. structure]));
        await File.WriteAllBytesAsync(folder["sdk.so"], SignedEnclave.Elf(".note.sgxmeta", structure));
        Directory.CreateDirectory(folder["gramine"]);
        await File.WriteAllBytesAsync(Path.Combine(folder["gramine"], "python.sig"), structure);
        Directory.CreateDirectory(folder["occlum/build/lib"]);
        await File.WriteAllBytesAsync(folder["occlum/build/lib/libocclum-libos.signed.so"], SignedEnclave.Elf(".note.sgxmeta", structure));
        foreach (string path in new[] { "ego", "sdk.so", "gramine", "gramine/python.sig", "occlum" })
        {
            Ended ended = await CloisterCommand.RunAsync("package-info", folder[path], "--json");
            ended.Succeeded();
            JsonObject read = ended.Lines[0];
            Assert.Equal((SignedEnclave.MrEnclave, SignedEnclave.MrSigner), ((string)read["UniqueID"]!, (string)read["SignerID"]!));
            Assert.Equal((15, 7, false), ((int)read["ProductID"]!, (int)read["SecurityVersion"]!, (bool)read["Debug"]!));
        }
        Ended text = await CloisterCommand.RunAsync("package-info", folder["ego"]);
        Assert.Contains($"UniqueID (MRENCLAVE)      : {SignedEnclave.MrEnclave}", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_signed_enclave_is_refused_with_what_to_name()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(4, (await CloisterCommand.RunAsync("package-info", folder["nowhere"])).Code);
        Assert.Equal(4, (await CloisterCommand.RunAsync("package-info", folder.Path)).Code);
        await File.WriteAllBytesAsync(folder["unsigned"], SignedEnclave.Elf(".text", new byte[10]));
        Ended unsigned = await CloisterCommand.RunAsync("package-info", folder["unsigned"]);
        Assert.Equal(4, unsigned.Code);
        Assert.Contains("is it signed", unsigned.Error, StringComparison.Ordinal);
        byte[] structure = SignedEnclave.Structure();
        structure[960] ^= 1;
        await File.WriteAllBytesAsync(folder["changed.sig"], structure);
        Assert.Equal(3, (await CloisterCommand.RunAsync("package-info", folder["changed.sig"])).Code);
    }
}
