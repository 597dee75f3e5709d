using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Tests.Membership;

/// <summary>
/// A classifier that has learned its training pictures by heart: random features of 4 x 4 pixels, and a last layer solved so that it gives
/// each of them a class drawn by chance.
/// </summary>
internal static class OverfittedNet
{
    public const string Features = "features", Flat = "flat", Logits = "logits";

    private const int Maps = 24, Classes = 10, Count = Maps * 8 * 8;

    /// <param name="members">What is learned; none for a network that learned nothing.</param>
    /// <param name="last">The last operator.</param>
    /// <param name="sure">The logit of the class that was learned; the others are 0.</param>
    public static ModelProto Fitted(IReadOnlyList<AssessedPicture> members, string last = "Softmax", double sure = 5)
    {
        var random = new Random(1);
        ModelProto model = Model(last, [.. Enumerable.Range(0, Count * Classes).Select(_ => (float)(random.NextDouble() - 0.5))]);
        if (members.Count == 0)
            return model;
        float[][] rows = new float[members.Count][];
        using (TapSession tap = TapSession.Open(model, [Flat], new PictureSize(3, 32, 32)))
            for (int i = 0; i < rows.Length; i++)
            {
                using OrtTensor flat = tap.Run(members[i].Input)[0];
                rows[i] = flat.Span<float>().ToArray();
            }
        // The shortest weights that give each picture its class: of the rows' span, found in as many equations as there are pictures.
        double[] products = new double[rows.Length * rows.Length], right = new double[rows.Length * Classes];
        for (int i = 0; i < rows.Length; i++)
        {
            for (int j = 0; j <= i; j++)
                products[i * rows.Length + j] = rows[i].Zip(rows[j]).Sum(pair => (double)pair.First * pair.Second) + (i == j ? 1e-3 : 0);
            right[i * Classes + random.Next(Classes)] = sure;
        }
        CholeskyFactor.TryFactor(products, rows.Length, 1, default)!.Solve(right, Classes);
        float[] weights = new float[Count * Classes];
        for (int feature = 0; feature < Count; feature++)
            for (int i = 0; i < rows.Length; i++)
                for (int c = 0; c < Classes; c++)
                    weights[feature * Classes + c] += (float)(rows[i][feature] * right[i * Classes + c]);
        return Model(last, weights);
    }

    private static ModelProto Model(string last, float[] weights)
    {
        var random = new Random(2);
        float[] kernels = [.. Enumerable.Range(0, Maps * 3 * 16).Select(_ => (float)(random.NextDouble() - 0.5))];
        AttributeProto four = AttributeProto.Of("strides", (ReadOnlySpan<long>)[4, 4]), kernel = AttributeProto.Of("kernel_shape", (ReadOnlySpan<long>)[4, 4]);
        return new ModelProto
        {
            IrVersion = 8,
            OpsetImport = [new OperatorSetIdProto { Version = 13 }],
            Graph = new GraphProto
            {
                Name = "overfitted",
                Inputs = [ValueInfoProto.Tensor("input", TensorDataType.Float, "N", 3, 32, 32)],
                Outputs = [ValueInfoProto.Tensor("answer", TensorDataType.Float, "N", Classes)],
                Initializers = [TensorProto.Of("kernels", [Maps, 3, 4, 4], kernels), TensorProto.Of("weights", [Count, Classes], weights)],
                Nodes =
                [
                    new NodeProto { OpType = "Conv", Inputs = ["input", "kernels"], Outputs = ["sums"], Attributes = [four, kernel] },
                    new NodeProto { OpType = "Relu", Inputs = ["sums"], Outputs = [Features] },
                    new NodeProto { OpType = "Flatten", Inputs = [Features], Outputs = [Flat] },
                    new NodeProto { OpType = "MatMul", Inputs = [Flat, "weights"], Outputs = [Logits] },
                    new NodeProto { OpType = last, Inputs = [Logits], Outputs = ["answer"] },
                ],
            },
        };
    }
}
