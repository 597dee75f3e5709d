using System.Buffers.Binary;
using System.Text;
using Cloister.Images;
using Cloister.Images.Boot;

namespace Cloister.Tests.Boot;

public sealed class AgentProgramTests
{
    [Fact]
    public void The_agents_loader_lies_beside_it()
    {
        byte[] program = Program("/lib64/ld-linux-x86-64.so.2"), changed = AgentProgram.WithOwnLoader(program);
        Assert.Equal(program.Length, changed.Length);
        Assert.Equal("/cloister/agent/ld.so\0\0\0\0\0\0\0", Encoding.ASCII.GetString(changed, 128, 28));
        Assert.Equal(program[..128], changed[..128]);
        Assert.Equal("ld.so", AgentProgram.NameOf("/x/lib/ld-linux-x86-64.so.2"));
        Assert.Equal("libc.so.6", AgentProgram.NameOf("/x/lib/libc.so.6"));
    }

    [Fact]
    public void What_has_no_loader_is_left_and_another_loader_refused()
    {
        byte[] script = "#!/bin/sh"u8.ToArray(), unlinked = Program("/lib64/ld-linux-x86-64.so.2");
        unlinked[64] = 1;
        Assert.Same(script, AgentProgram.WithOwnLoader(script));
        Assert.Same(unlinked, AgentProgram.WithOwnLoader(unlinked));
        Assert.Equal(ImageError.BootPartInvalid, Assert.Throws<ImageException>(() => AgentProgram.WithOwnLoader(Program("/lib/ld-musl-x86_64.so.1"))).Error);
    }

    [Fact]
    public void Hostile_files_never_throw_anything_else()
    {
        byte[] program = Program("/lib64/ld-linux-x86-64.so.2");
        for (int length = 0; length < program.Length; length++) AgentProgram.Fuzz(program.AsSpan(0, length));
        foreach (byte[] mutated in Changed(program, 20_000, seed: 3)) AgentProgram.Fuzz(mutated);
    }

    [KernelFact]
    public void Hostile_modules_never_throw_anything_else()
    {
        byte[] module = File.ReadAllBytes(Directory.EnumerateFiles(KernelFactAttribute.Kernel!.Modules, "libcrc32c.ko", SearchOption.AllDirectories).Single());
        int table = (int)BinaryPrimitives.ReadInt64LittleEndian(module.AsSpan(40));
        foreach (byte[] mutated in Changed(module, 3_000, seed: 4)) KernelModules.Fuzz(mutated);
        foreach (byte[] mutated in Changed(module[..64], 3_000, seed: 5)) KernelModules.Fuzz([.. mutated, .. module.AsSpan(64)]);
        foreach (byte[] mutated in Changed(module[table..], 3_000, seed: 6)) KernelModules.Fuzz([.. module.AsSpan(0, table), .. mutated]);
    }

    // A header, one segment that names the loader, and the name.
    private static byte[] Program(string loader)
    {
        var file = new byte[128 + loader.Length + 1];
        "\u007fELF"u8.CopyTo(file);
        file[4] = 2;
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(56), 1);
        file[64] = 3;
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(64 + 8), 128);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(64 + 32), loader.Length + 1);
        Encoding.ASCII.GetBytes(loader, file.AsSpan(128));
        return file;
    }

    private static IEnumerable<byte[]> Changed(byte[] valid, int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = [.. valid];
            for (int change = random.Next(1, 5); change > 0; change--)
            {
                int at = random.Next(bytes.Length);
                bytes[at] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
            }
            yield return bytes;
        }
    }
}
