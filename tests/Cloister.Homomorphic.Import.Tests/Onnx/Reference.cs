using Cloister.Onnx.Runtime;

namespace Cloister.Homomorphic.Import.Tests.Onnx;

/// <summary>ONNX Runtime's own answer.</summary>
internal static class Reference
{
    /// <summary>One float output of a model of one float input: one array a row.</summary>
    public static float[][] Run(byte[] model, IReadOnlyList<double[]> rows, string? output = null)
    {
        using var session = OrtSession.FromMemory(model);
        int width = rows[0].Length;
        using var input = OrtTensor.OverPinned<float>(rows.SelectMany(row => row).Select(x => (float)x).ToArray(), [rows.Count, width]);
        OrtTensor?[] outputs = new OrtTensor?[session.Outputs.Count];
        session.Run([input], outputs);
        try
        {
            int at = Enumerable.Range(0, outputs.Length).First(i => output is null ? session.Outputs[i].Type == TensorElementType.Float : session.Outputs[i].Name == output);
            float[] values = outputs[at]!.Span<float>().ToArray();
            int each = values.Length / rows.Count;
            return [.. Enumerable.Range(0, rows.Count).Select(i => values[(i * each)..((i + 1) * each)])];
        }
        finally
        {
            foreach (OrtTensor? tensor in outputs) tensor?.Dispose();
        }
    }
}
