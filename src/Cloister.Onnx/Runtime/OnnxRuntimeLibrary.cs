using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// ONNX Runtime's shared library, found, checked and loaded once a process.
/// Searched in this order, the first that exists is taken: the file that <c>CLOISTER_ONNXRUNTIME</c> names, the program's folder,
/// <c>native/lib/&lt;rid&gt;</c> of the folders above it (a checkout, where <c>native/install</c> puts it).
/// </summary>
/// <remarks>
/// The SHA-256 check tells a mix-up or a damaged file. It is no defence against somebody who can write to the program's folder
/// while the program starts: that the folder is what it should be is what a measurement proves.
/// </remarks>
public sealed class OnnxRuntimeLibrary
{
    /// <summary>The environment variable that names the library's file.</summary>
    public const string PathVariable = "CLOISTER_ONNXRUNTIME";

    internal const string FileName = "libonnxruntime.so.1";
    internal const string WantedVersion = "1.30.";

    private static readonly Lazy<OnnxRuntimeLibrary> Loaded = new(() => Load(Find(
        Environment.GetEnvironmentVariable(PathVariable), AppContext.BaseDirectory, RuntimeIdentifier())));

    private OnnxRuntimeLibrary(string path, string version, OrtApi api)
    {
        Path = path;
        Version = version;
        Api = api;
        Env = OrtEnvironment.Create(api);
    }

    /// <summary>The library of this process; the first use loads it.</summary>
    /// <exception cref="OnnxRuntimeLibraryException">It is missing, is not the pinned file, or is of another version.</exception>
    public static OnnxRuntimeLibrary Shared => Loaded.Value;

    /// <summary>The file it was loaded from.</summary>
    public string Path { get; }

    /// <summary>ONNX Runtime's version, such as <c>1.30.0</c>.</summary>
    public string Version { get; }

    internal OrtApi Api { get; }

    internal OrtEnvironment Env { get; }

    /// <summary>The pinned SHA-256 of a platform's library in lower-case hex, or null where none is pinned.</summary>
    internal static string? PinnedDigest(string rid)
    {
        using var pins = new StreamReader(typeof(OnnxRuntimeLibrary).Assembly.GetManifestResourceStream("onnxruntime.SHA256SUMS")!);
        while (pins.ReadLine() is { } line)
        {
            if (line.EndsWith($"  lib/{rid}/{FileName}", StringComparison.Ordinal))
                return line[..64];
        }
        return null;
    }

    internal static string RuntimeIdentifier() =>
        (OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "osx" : OperatingSystem.IsWindows() ? "win" : "unknown")
        + "-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>The library's file, its SHA-256 checked.</summary>
    internal static string Find(string? named, string programFolder, string rid)
    {
        if (PinnedDigest(rid) is not { } pinned)
            throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.UnsupportedPlatform,
                $"No ONNX Runtime library is pinned for {rid}; models can be run on linux-x64 and linux-arm64.");

        string path = FirstExisting(named, programFolder, rid);
        string actual;
        using (var file = File.OpenRead(path))
            actual = Convert.ToHexStringLower(SHA256.HashData(file));
        if (actual != pinned)
            throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.NotPinned,
                $"{path} is not the pinned ONNX Runtime library: its SHA-256 is {actual}, pinned is {pinned}. " +
                "Delete it and run native/install in the repository, or take libonnxruntime.so.1 of the npm package onnxruntime-node 1.30.0.");
        return path;
    }

    internal static unsafe OnnxRuntimeLibrary Load(string path)
    {
        nint library;
        try
        {
            library = NativeLibrary.Load(path);
        }
        catch (Exception refusal) when (refusal is DllNotFoundException or BadImageFormatException)
        {
            throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.NotLoadable,
                $"The system cannot load {path}: {refusal.Message.TrimEnd()}", refusal);
        }

        if (!NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint export))
            throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.WrongVersion, $"{path} has no OrtGetApiBase: it is not ONNX Runtime.");

        // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t); const char* (*GetVersionString)(); }
        nint* apiBase = ((delegate* unmanaged<nint*>)export)();
        string version = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)apiBase[1])()) ?? "";
        nint* table = version.StartsWith(WantedVersion, StringComparison.Ordinal)
            ? ((delegate* unmanaged<uint, nint*>)apiBase[0])(OrtApi.Version)
            : null;
        if (table is null)
            throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.WrongVersion,
                $"{path} is ONNX Runtime {version}; this binding is written and tested for {WantedVersion}x.");
        return new OnnxRuntimeLibrary(path, version, new OrtApi(table));
    }

    private static string FirstExisting(string? named, string programFolder, string rid)
    {
        if (!string.IsNullOrEmpty(named))
        {
            return File.Exists(named) ? System.IO.Path.GetFullPath(named) : throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.NotFound,
                $"{PathVariable} names {named}, which is not there. Point it at {FileName}, or unset it.");
        }

        string beside = System.IO.Path.Combine(programFolder, FileName);
        if (File.Exists(beside))
            return beside;
        for (DirectoryInfo? folder = new(programFolder); folder is not null; folder = folder.Parent)
        {
            string installed = System.IO.Path.Combine(folder.FullName, "native", "lib", rid, FileName);
            if (File.Exists(installed))
                return installed;
        }
        throw new OnnxRuntimeLibraryException(OnnxRuntimeLibraryError.NotFound,
            $"ONNX Runtime's library is absent: there is no {beside}, and no native/lib/{rid}/{FileName} above it. " +
            "In a checkout run native/install (or ./cloister, which does it): it runs `npm ci --ignore-scripts` and keeps the one library. " +
            $"Elsewhere put {FileName} of the npm package onnxruntime-node 1.30.0 beside the program, or name its file in {PathVariable}.");
    }
}
