using Cloister.Sealing;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

public sealed class ParameterFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FilesAreWrittenForTheirOwnerAlone()
    {
        Write("sub/deep/key.pem", "secret");
        Assert.Equal("secret", File.ReadAllText(_folder.At("sub", "deep", "key.pem")));
        Assert.Single(Directory.GetFileSystemEntries(_folder.At("sub", "deep")));
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.At("sub", "deep", "key.pem")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.At("sub", "deep")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.At("sub")));
    }

    [Fact]
    public void AnOlderFileIsReplacedWithItsRights()
    {
        File.WriteAllText(_folder.At("key"), "older and longer");
        Write(_folder.At("key"), "new");
        Assert.Equal("new", File.ReadAllText(_folder.At("key")));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.At("key")));
    }

    [Fact]
    public void ALinkInTheFilesPlaceIsRefused()
    {
        File.WriteAllText(_folder.At("elsewhere"), "untouched");
        File.CreateSymbolicLink(_folder.At("key"), _folder.At("elsewhere"));
        Refused("key");
        Assert.Equal("untouched", File.ReadAllText(_folder.At("elsewhere")));
        File.CreateSymbolicLink(_folder.At("dangling"), _folder.At("nowhere"));
        Refused("dangling");
        Assert.False(File.Exists(_folder.At("nowhere")));
    }

    [Fact]
    public void AFolderLinkIsRefusedWhereOthersMayPlantOne()
    {
        if (OperatingSystem.IsWindows())
            return;
        Directory.CreateDirectory(_folder.At("target"));
        Directory.CreateDirectory(_folder.At("shared"));
        Directory.CreateSymbolicLink(_folder.At("shared", "link"), _folder.At("target"));
        Write("shared/link/key", "mine");
        Assert.Equal("mine", File.ReadAllText(_folder.At("target", "key")));

        File.SetUnixFileMode(_folder.At("shared"), File.GetUnixFileMode(_folder.At("shared")) | UnixFileMode.OtherWrite);
        Refused("shared/link/other");
        Refused("shared/link/more/other");
        Assert.False(File.Exists(_folder.At("target", "other")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("folder/")]
    [InlineData("zero\0byte")]
    [InlineData("occupied")]
    [InlineData("/")]
    public void WhatIsNoPlaceForAFileIsRefused(string path)
    {
        Directory.CreateDirectory(_folder.At("occupied"));
        Refused(path);
    }

    private void Write(string path, string content)
    {
        using var secret = SecretBytes.Copy(TestActivation.Utf8(content));
        ParameterFiles.Write(new Dictionary<string, SecretBytes> { [path] = secret }, _folder.Path);
    }

    private void Refused(string path) =>
        Assert.Equal(WorkloadError.ParameterFile, Assert.Throws<WorkloadException>(() => Write(path, "x")).Error);
}
