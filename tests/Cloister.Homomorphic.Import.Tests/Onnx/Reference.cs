using Cloister.Onnx.Runtime;

namespace Cloister.Homomorphic.Import.Tests.Onnx;

/// <summary>ONNX Runtime's own answer.</summary>
internal static class Reference
{
    /// <summary>One float output of a model of one input: one array a row. The only float output, where none is named.</summary>
    public static float[][] Run(byte[] model, IReadOnlyList<double[]> rows, string? output = null)
    {
        float[] values = Run<float>(model, rows, output);
        int each = values.Length / rows.Count;
        return [.. Enumerable.Range(0, rows.Count).Select(i => values[(i * each)..((i + 1) * each)])];
    }

    /// <summary>One integer output: one number a row.</summary>
    public static long[] Labels(byte[] model, IReadOnlyList<double[]> rows, string output) => Run<long>(model, rows, output);

    private static T[] Run<T>(byte[] model, IReadOnlyList<double[]> rows, string? output) where T : unmanaged
    {
        using var session = OrtSession.FromMemory(model);
        long[] shape = [rows.Count, rows[0].Length];
        using OrtTensor input = session.Inputs[0].Type == TensorElementType.Double
            ? OrtTensor.OverPinned<double>(rows.SelectMany(row => row).ToArray(), shape)
            : OrtTensor.OverPinned<float>(rows.SelectMany(row => row).Select(x => (float)x).ToArray(), shape);
        OrtTensor?[] outputs = new OrtTensor?[session.Outputs.Count];
        session.Run([input], outputs);
        try
        {
            int at = Enumerable.Range(0, outputs.Length).First(i => output is null ? session.Outputs[i].Type == TensorElementType.Float : session.Outputs[i].Name == output);
            return outputs[at]!.Span<T>().ToArray();
        }
        finally
        {
            foreach (OrtTensor? tensor in outputs) tensor?.Dispose();
        }
    }
}
