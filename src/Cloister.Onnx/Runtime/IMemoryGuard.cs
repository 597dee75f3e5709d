namespace Cloister.Onnx.Runtime;

/// <summary>Keeps memory with secrets in it from being written to a disk: locks its pages, keeps them out of core dumps.</summary>
public interface IMemoryGuard
{
    /// <summary>Protects whole pages, which belong to nobody else until the returned protection is disposed of.</summary>
    /// <param name="address">Where they begin.</param>
    /// <param name="length">How many bytes they are.</param>
    /// <returns>Ends the protection, after the memory was zeroed; null if there is nothing to end.</returns>
    IDisposable? Protect(nint address, long length);
}
