using Cloister.Homomorphic.Import.LightGbm;
using Cloister.Homomorphic.Import.Onnx;
using Cloister.Homomorphic.Import.Xgboost;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>Reads models that were trained elsewhere: ONNX and ONNX-ML, XGBoost's JSON and binary forms, LightGBM's text.</summary>
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
        ReadOnlySpan<byte> text = TrimStart(bytes.Span);
        if (text.StartsWith("tree\n"u8) || text.StartsWith("tree\r\n"u8)) return LightGbmReader.Read(bytes.Span, options);
        if (UniversalJson.Is(bytes.Span)) return XgboostReader.Read(UniversalJson.ToJson(bytes.Span), options);
        if (text.Length > 0 && text[0] == '{') return XgboostReader.Read(bytes, options);
        if (LooksLikeOnnx(bytes.Span)) return OnnxReader.Read(bytes, options);
        if (XgboostBinary.Is(bytes.Span)) return XgboostBinary.Read(bytes.Span, options);
        throw new ImportException(ImportError.UnknownKind, "The file is no model of a kind that is read: ONNX, XGBoost (JSON, UBJSON or its former binary form) or LightGBM text. A pickle or joblib file is a program: export the model instead.");
    }

    /// <summary>For fuzzing: reads anything; whatever is accepted scores a row of finite numbers.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            PlainModel model = Read(bytes.ToArray(), new ImportOptions { MaxNodes = 1 << 16, MaxTrees = 1 << 10, MaxFeatures = 1 << 12 });
            double[] scores = new double[model.Scores];
            model.Score(new double[model.Features.Count], scores);
            if (scores.Any(double.IsNaN)) throw new InvalidOperationException("A model was accepted whose scores are no numbers.");
        }
        catch (ImportException)
        {
            // The documented refusal.
        }
    }

    private static ReadOnlySpan<byte> TrimStart(ReadOnlySpan<byte> bytes) => bytes.TrimStart(" \t\r\n"u8);

    // A ModelProto begins with its ir_version (field 1, a small number) wherever a program wrote it.
    private static bool LooksLikeOnnx(ReadOnlySpan<byte> bytes) => bytes.Length > 2 && bytes[0] == 0x08 && bytes[1] is > 0 and < 0x80;

    private static ImportException TooLarge(long length, ImportOptions options) =>
        new(ImportError.TooLarge, $"The file has {length} bytes, more than the {options.MaxBytes} that are read.");
}
