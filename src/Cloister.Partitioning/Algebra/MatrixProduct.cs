using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Algebra;

/// <summary>Products of dense row-major matrices of 32-bit floats by ONNX Runtime's kernels. Safe for many threads.</summary>
public sealed class MatrixProduct : IDisposable
{
    private readonly OrtSession _plain, _transposed;

    /// <summary>Prepares both products.</summary>
    /// <param name="threads">Threads inside one product; 0 is one a core.</param>
    /// <exception cref="OnnxRuntimeLibraryException">ONNX Runtime's library is missing or is not the pinned one.</exception>
    public MatrixProduct(int threads = 1)
    {
        _plain = Open(0, threads);
        try
        {
            _transposed = Open(1, threads);
        }
        catch
        {
            _plain.Dispose();
            throw;
        }
    }

    /// <summary>result [rows, columns] = left [rows, inner] * right [inner, columns].</summary>
    /// <exception cref="ArgumentException">A length is not that of its matrix.</exception>
    public void Multiply(Memory<float> left, Memory<float> right, Memory<float> result, int rows, int inner, int columns) =>
        Run(_plain, left, [rows, inner], right, [inner, columns], result, [rows, columns]);

    /// <summary>result [rows, columns] = transpose of left [inner, rows] * right [inner, columns].</summary>
    /// <exception cref="ArgumentException">A length is not that of its matrix.</exception>
    public void MultiplyTransposed(Memory<float> left, Memory<float> right, Memory<float> result, int inner, int rows, int columns) =>
        Run(_transposed, left, [inner, rows], right, [inner, columns], result, [rows, columns]);

    /// <summary>Lets go of both sessions.</summary>
    public void Dispose()
    {
        _plain.Dispose();
        _transposed.Dispose();
    }

    private static void Run(OrtSession session, Memory<float> left, long[] leftShape, Memory<float> right, long[] rightShape, Memory<float> result, long[] resultShape)
    {
        using OrtTensor a = OrtTensor.OverPinned(left, leftShape), b = OrtTensor.OverPinned(right, rightShape), c = OrtTensor.OverPinned(result, resultShape);
        OrtTensor?[] outputs = [c];
        session.Run([a, b], outputs);
    }

    private static OrtSession Open(long transposeLeft, int threads)
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            OpsetImport = [new OperatorSetIdProto { Version = 13 }],
            Graph = new GraphProto
            {
                Name = "product",
                Nodes = [new NodeProto { OpType = "Gemm", Inputs = ["a", "b"], Outputs = ["c"], Attributes = [AttributeProto.Of("transA", transposeLeft)] }],
                Inputs = [ValueInfoProto.Tensor("a", TensorDataType.Float, "p", "q"), ValueInfoProto.Tensor("b", TensorDataType.Float, "r", "s")],
                Outputs = [ValueInfoProto.Tensor("c", TensorDataType.Float, "t", "u")],
            },
        };
        return OrtSession.FromMemory(model.ToBytes(), new OrtSessionOptions { IntraThreads = threads });
    }
}
