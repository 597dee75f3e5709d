using Cloister.Onnx.Runtime;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Runtime;

public class LibraryTests
{
    private static readonly string Rid = OnnxRuntimeLibrary.RuntimeIdentifier();

    [Fact]
    public void ThePinnedLibraryIsLoaded()
    {
        Assert.StartsWith("1.30.", OnnxRuntimeLibrary.Shared.Version, StringComparison.Ordinal);
        Assert.EndsWith("libonnxruntime.so.1", OnnxRuntimeLibrary.Shared.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePinsAreThoseOfTheInstallScript()
    {
        Assert.Equal("ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23", OnnxRuntimeLibrary.PinnedDigest("linux-x64"));
        string pins = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "native", "SHA256SUMS"));
        Assert.Contains(OnnxRuntimeLibrary.PinnedDigest("linux-arm64")!, pins, StringComparison.Ordinal);
        Assert.Null(OnnxRuntimeLibrary.PinnedDigest("win-x64"));
    }

    [Fact]
    public void TheLibraryIsLookedForInOrder()
    {
        string real = OnnxRuntimeLibrary.Shared.Path;
        DirectoryInfo root = Directory.CreateTempSubdirectory("cloister-test-");
        try
        {
            string program = Directory.CreateDirectory(Path.Combine(root.FullName, "a", "bin")).FullName;
            OnnxRuntimeLibraryException absent = Refused(OnnxRuntimeLibraryError.NotFound, null, program);
            Assert.Contains("npm ci --ignore-scripts", absent.Message, StringComparison.Ordinal);

            string installed = Path.Combine(Directory.CreateDirectory(Path.Combine(root.FullName, "native", "lib", Rid)).FullName, "libonnxruntime.so.1");
            File.CreateSymbolicLink(installed, real);
            Assert.Equal(installed, OnnxRuntimeLibrary.Find(null, program, Rid));

            string beside = Path.Combine(program, "libonnxruntime.so.1");
            File.CreateSymbolicLink(beside, real);
            Assert.Equal(beside, OnnxRuntimeLibrary.Find("", program, Rid));
            Assert.Equal(installed, OnnxRuntimeLibrary.Find(installed, program, Rid));

            // What is named or nearer is not passed over when it is wrong.
            Refused(OnnxRuntimeLibraryError.NotFound, Path.Combine(root.FullName, "none"), program);
            File.Delete(beside);
            File.WriteAllText(beside, "something else");
            Assert.Contains(beside, Refused(OnnxRuntimeLibraryError.NotPinned, null, program).Message, StringComparison.Ordinal);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public void OtherPlatformsAndFilesAreRefused()
    {
        Assert.Equal(OnnxRuntimeLibraryError.UnsupportedPlatform,
            Assert.Throws<OnnxRuntimeLibraryException>(() => OnnxRuntimeLibrary.Find(null, "/", "linux-riscv64")).Error);
        Assert.Equal(OnnxRuntimeLibraryError.NotLoadable,
            Assert.Throws<OnnxRuntimeLibraryException>(() => OnnxRuntimeLibrary.Load(typeof(LibraryTests).Assembly.Location)).Error);
        string other = Directory.EnumerateFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native*").First();
        Assert.Equal(OnnxRuntimeLibraryError.WrongVersion, Assert.Throws<OnnxRuntimeLibraryException>(() => OnnxRuntimeLibrary.Load(other)).Error);
    }

    private static OnnxRuntimeLibraryException Refused(OnnxRuntimeLibraryError error, string? named, string program)
    {
        OnnxRuntimeLibraryException refusal = Assert.Throws<OnnxRuntimeLibraryException>(() => OnnxRuntimeLibrary.Find(named, program, Rid));
        Assert.Equal(error, refusal.Error);
        return refusal;
    }
}
