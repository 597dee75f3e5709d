using System.Reflection;
using System.Runtime.InteropServices;

namespace Cloister.Sealing;

/// <summary>Finds libcrypto of OpenSSL 3 and turns its failures into exceptions. .NET lacks X25519 and Ed25519; every Linux machine that runs .NET has this library.</summary>
internal static class LibCryptoLibrary
{
    // Set once, before the first native call; null where the library serves.
    private static readonly string? Problem;

    static LibCryptoLibrary()
    {
        nint library = Load();
        if (library == 0)
        {
            Problem = "X25519 and Ed25519 need libcrypto of OpenSSL 3, which was not found. " + (
                OperatingSystem.IsWindows() ? "Put libcrypto-3-x64.dll (or -arm64) beside the application, or use P-256 keys."
                : OperatingSystem.IsMacOS() ? "Install it (brew install openssl@3), or use P-256 keys."
                : "Install it (Debian, Ubuntu: apt install libssl3; Fedora: dnf install openssl-libs; Alpine: apk add libcrypto3), or use P-256 keys.");
            return;
        }
        NativeLibrary.SetDllImportResolver(typeof(Evp).Assembly, (name, _, _) => name == Evp.Library ? library : 0);
        ulong version = Evp.OpenSSL_version_num();
        if (version < 0x3000_0000)
            Problem = $"X25519 and Ed25519 need libcrypto of OpenSSL 3 or later; the one found says version 0x{version:x}. Install OpenSSL 3, or use P-256 keys.";
    }

    /// <summary>Whether X25519 and Ed25519 are there.</summary>
    public static bool IsAvailable => Problem is null;

    /// <exception cref="PlatformNotSupportedException">libcrypto 3 is absent; the text says what to install.</exception>
    public static void EnsureAvailable()
    {
        if (Problem is not null)
            throw new PlatformNotSupportedException(Problem);
    }

    /// <summary>Every status is checked, in Release too: anything but 1 is a failure.</summary>
    public static void Check(int status, string operation)
    {
        if (status != 1)
            throw Failure(operation);
    }

    /// <summary>As <see cref="Check"/>, for functions that give an object.</summary>
    public static T Check<T>(T handle, string operation)
        where T : SafeHandle
    {
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        throw Failure(operation);
    }

    private static SealingException Failure(string operation)
    {
        ulong code = Evp.ERR_peek_last_error();
        ClearErrors();
        return new SealingException(SealingError.PlatformFailure, $"libcrypto refused {operation} (its error code 0x{code:x}). Check the installation of OpenSSL, and whether a FIPS policy forbids the algorithm.");
    }

    /// <summary>Leaves nothing in this thread's error queue for the framework's own calls to trip over.</summary>
    public static void ClearErrors() => Evp.ERR_clear_error();

    private static nint Load()
    {
        string[] names = OperatingSystem.IsWindows()
            ? [RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "libcrypto-3-arm64.dll" : "libcrypto-3-x64.dll"]
            : OperatingSystem.IsMacOS()
            ? ["libcrypto.3.dylib", "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib", "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib"]
            : ["libcrypto.so.3"];
        // On Windows the current folder and PATH are not searched.
        const DllImportSearchPath Search = DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory;
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), Search, out nint library))
                return library;
        }
        return 0;
    }
}
