using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

public sealed class UuidFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ANewUuidIsKeptForTheNextStart()
    {
        string path = _folder.At("inner", "uuid");
        Guid first = UuidFile.LoadOrCreate(path);
        Assert.NotEqual(Guid.Empty, first);
        Assert.Equal(first, UuidFile.LoadOrCreate(path));
        Assert.Equal(first.ToString("D"), File.ReadAllText(path));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal([path], Directory.GetFiles(_folder.At("inner")));
    }

    [Fact]
    public async Task ProgramsThatStartAtOnceAgree()
    {
        for (int round = 0; round < 20; round++)
        {
            string path = _folder.At($"uuid{round}");
            using var start = new Barrier(8);
            Guid[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(() =>
            {
                start.SignalAndWait();
                return UuidFile.LoadOrCreate(path);
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.Single(all.Distinct());
        }
        Assert.Equal(20, Directory.GetFiles(_folder.Path).Length);
    }

    [Theory]
    [InlineData("6f1b1d3e-1c2b-4f7e-9f4e-0d6a3f1c2b4d")]
    [InlineData("6F1B1D3E1C2B4F7E9F4E0D6A3F1C2B4D\n")]
    public void TextWithAndWithoutDashesIsRead(string text)
    {
        File.WriteAllText(_folder.At("uuid"), text);
        Assert.Equal(new Guid("6f1b1d3e-1c2b-4f7e-9f4e-0d6a3f1c2b4d"), UuidFile.LoadOrCreate(_folder.At("uuid")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no uuid")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("6f1b1d3e-1c2b-4f7e-9f4e-0d6a3f1c2b4d 6f1b1d3e-1c2b-4f7e-9f4e-0d6a3f1c2b4d")]
    public void AnythingElseIsRefusedAndLeftAlone(string text)
    {
        File.WriteAllText(_folder.At("uuid"), text);
        Assert.Equal(WorkloadError.UuidFile, Assert.Throws<WorkloadException>(() => UuidFile.LoadOrCreate(_folder.At("uuid"))).Error);
        Assert.Equal(text, File.ReadAllText(_folder.At("uuid")));
    }

    [Fact]
    public void APlaceThatCannotBeWrittenIsRefused()
    {
        File.WriteAllText(_folder.At("file"), "");
        Assert.Equal(WorkloadError.UuidFile, Assert.Throws<WorkloadException>(() => UuidFile.LoadOrCreate(_folder.At("file", "uuid"))).Error);
        Assert.Equal(WorkloadError.UuidFile, Assert.Throws<WorkloadException>(() => UuidFile.LoadOrCreate(_folder.Path)).Error);
    }

    [Fact]
    public void HostileBytesAreAUuidOrNot() =>
        Mutations.Drive(m => UuidFile.Fuzz(m.Span), 20_000, "6f1b1d3e-1c2b-4f7e-9f4e-0d6a3f1c2b4d"u8.ToArray(), "6f1b1d3e1c2b4f7e9f4e0d6a3f1c2b4d\n"u8.ToArray());
}
