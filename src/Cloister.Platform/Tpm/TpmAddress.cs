using System.Net.Sockets;

namespace Cloister.Platform.Tpm;

/// <summary>Where a TPM is reached: <c>/dev/tpmrm0</c>, <c>/dev/tpm0</c>, or <c>swtpm:/path/to/server.sock</c> (a software TPM's server socket, raw commands).</summary>
internal sealed record TpmAddress
{
    private const string SocketPrefix = "swtpm:";

    private TpmAddress(string path, bool isSocket) => (Path, IsSocket) = (path, isSocket);

    /// <summary>The device or socket.</summary>
    public string Path { get; }

    /// <summary>Whether it is a software TPM's socket.</summary>
    public bool IsSocket { get; }

    /// <summary>Whether the kernel keeps the objects of several programs apart. Without it there is one program at a time, and what an earlier one left behind is still loaded.</summary>
    public bool HasResourceManager => !IsSocket && System.IO.Path.GetFileName(Path).StartsWith("tpmrm", StringComparison.Ordinal);

    /// <summary>The number in the device's name, which its logs carry too; null for a socket.</summary>
    public string? Number
    {
        get
        {
            string name = System.IO.Path.GetFileName(Path);
            string number = name.StartsWith("tpmrm", StringComparison.Ordinal) ? name[5..] : name.StartsWith("tpm", StringComparison.Ordinal) ? name[3..] : "";
            return !IsSocket && number.Length > 0 && number.All(char.IsAsciiDigit) ? number : null;
        }
    }

    /// <exception cref="PlatformException"><see cref="PlatformError.TpmAddressInvalid"/>.</exception>
    public static TpmAddress Parse(string where)
    {
        ArgumentNullException.ThrowIfNull(where);
        bool isSocket = where.StartsWith(SocketPrefix, StringComparison.Ordinal);
        string path = isSocket ? where[SocketPrefix.Length..] : where;
        if (!System.IO.Path.IsPathRooted(path) || path.Contains('\0'))
            throw new PlatformException(PlatformError.TpmAddressInvalid, $"'{where}' names no TPM. Name a device such as /dev/tpmrm0, or swtpm:/path/to/server.sock.");
        if (isSocket) _ = EndPointOf(path);
        return new TpmAddress(path, isSocket);
    }

    public UnixDomainSocketEndPoint EndPoint() => EndPointOf(Path);

    public override string ToString() => IsSocket ? SocketPrefix + Path : Path;

    private static UnixDomainSocketEndPoint EndPointOf(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException tooLong)
        {
            throw new PlatformException(PlatformError.TpmAddressInvalid, $"{path} is too long for a socket's path (about 100 bytes). Use a shorter folder.", tooLong);
        }
    }
}
