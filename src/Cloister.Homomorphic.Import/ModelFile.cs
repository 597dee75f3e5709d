using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>Reads models that were trained elsewhere: ONNX and ONNX-ML, XGBoost's JSON, LightGBM's text.</summary>
public static class ModelFile
{
    /// <summary>Reads a file, whatever its kind.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Names and caps; null for the file's own names and the default caps.</param>
    /// <exception cref="ImportException">A 1xx or 2xx refusal.</exception>
    public static PlainModel Read(string path, ImportOptions? options = null)
    {
        options ??= ImportOptions.Default;
        var file = new FileInfo(path);
        if (file.Length > options.MaxBytes) throw TooLarge(file.Length, options);
        return Read(File.ReadAllBytes(path), options);
    }

    /// <summary>Reads bytes, whatever their kind.</summary>
    /// <param name="bytes">A whole file.</param>
    /// <param name="options">Names and caps; null for the file's own names and the default caps.</param>
    /// <exception cref="ImportException">A 1xx or 2xx refusal.</exception>
    public static PlainModel Read(ReadOnlyMemory<byte> bytes, ImportOptions? options = null)
    {
        options ??= ImportOptions.Default;
        if (bytes.Length > options.MaxBytes) throw TooLarge(bytes.Length, options);
        throw new ImportException(ImportError.UnknownKind, "The file is no model of a kind that is read: ONNX, XGBoost JSON or LightGBM text.");
    }

    private static ImportException TooLarge(long length, ImportOptions options) =>
        new(ImportError.TooLarge, $"The file has {length} bytes, more than the {options.MaxBytes} that are read.");
}
