using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;

namespace Cloister.Partitioning.Tests.Runner;

public sealed class BackNetTests
{
    [Fact]
    public void Items_that_keep_to_themselves_may_be_joined()
    {
        using BackNet back = TinyModels.Open(TinyModels.TwoByTwo());
        Assert.True(back.TakesBatches && back.CanJoin);
        Assert.Equal([7L, 5], back.OutputShape(0, 7));
        Assert.Equal((7 * 17L, 7 * 13L), (back.InputBytes(7), back.OutputBytes(7)));
    }

    [Fact]
    public void A_model_whose_items_touch_each_other_is_never_joined()
    {
        using BackNet back = TinyModels.Open(TinyModels.Mixing());
        Assert.True(back.TakesBatches);
        Assert.False(back.CanJoin);
    }

    [Fact]
    public void A_model_of_a_fixed_size_takes_that_size()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice(3));
        Assert.False(back.TakesBatches || back.CanJoin);
        using OrtTensor fits = OrtTensor.Allocate<float>([3, 4]), fitsNot = OrtTensor.Allocate<float>([1, 4]);
        Assert.Equal(1, back.Rows([fits]));
        Assert.Throws<ArgumentException>(() => { back.Rows([fitsNot]); });
    }

    [Fact]
    public void Outputs_that_are_not_finite_by_their_nature_are_known()
    {
        ModelProto masked = TinyModels.Proto([ValueInfoProto.Tensor("x", TensorDataType.Float, "N", 4)], [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", 4)],
            [TensorProto.Of("mask", [4], [0f, 0, 0, float.NegativeInfinity])], new NodeProto { OpType = "Add", Inputs = ["x", "mask"], Outputs = ["y"] });
        using BackNet back = TinyModels.Open(masked.ToBytes()), twice = TinyModels.Open(TinyModels.Twice());
        Assert.Equal((true, false), (back.NotFinite[0], twice.NotFinite[0]));
    }

    [Fact]
    public void A_free_dimension_must_be_given()
    {
        byte[] free = TinyModels.Proto([ValueInfoProto.Tensor("x", TensorDataType.Float, "N", "W")], [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", "W")], [], new NodeProto { OpType = "Relu", Inputs = ["x"], Outputs = ["y"] }).ToBytes();
        Assert.Equal(PartitioningError.BackNetRefused, Assert.Throws<PartitioningException>(() => TinyModels.Open(free)).Error);
        Assert.Equal(PartitioningError.BackNetRefused, Assert.Throws<PartitioningException>(() => BackNet.Open(free, new Dictionary<string, long[]> { ["x"] = [1, 2, 3] })).Error);
        using BackNet back = BackNet.Open(free, new Dictionary<string, long[]> { ["x"] = [-1, 6] });
        Assert.True(back.CanJoin);
        Assert.Equal([5L, 6], back.OutputShape(0, 5));
    }

    [Fact]
    public void Texts_and_sizes_that_depend_on_values_are_refused()
    {
        byte[] texts = TinyModels.Proto([ValueInfoProto.Tensor("x", TensorDataType.String, "N")], [ValueInfoProto.Tensor("y", TensorDataType.String, "N")], [], new NodeProto { OpType = "Identity", Inputs = ["x"], Outputs = ["y"] }).ToBytes();
        Assert.Equal(PartitioningError.BackNetRefused, Assert.Throws<PartitioningException>(() => TinyModels.Open(texts)).Error);
        byte[] places = TinyModels.Proto([ValueInfoProto.Tensor("x", TensorDataType.Float, "N", 40)], [ValueInfoProto.Tensor("y", TensorDataType.Int64, 2, "M")], [],
            new NodeProto { OpType = "Add", Inputs = ["x", "x"], Outputs = ["twice"] }, new NodeProto { OpType = "Floor", Inputs = ["twice"], Outputs = ["f"] }, new NodeProto { OpType = "NonZero", Inputs = ["f"], Outputs = ["y"] }).ToBytes();
        Assert.Equal(PartitioningError.BackNetRefused, Assert.Throws<PartitioningException>(() => TinyModels.Open(places)).Error);
    }
}
