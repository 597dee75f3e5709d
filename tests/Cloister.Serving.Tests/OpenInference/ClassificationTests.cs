using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.OpenInference;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Triton's classification extension: the best classes of each item, as texts.</summary>
public sealed class ClassificationTests
{
    private static readonly ModelLabels Labels = ModelLabels.Read("zero\none\n\nthree:3"u8);

    [Fact]
    public void The_extension_s_own_example()
    {
        Demand(Tensor.From<float>([1, 5, 10, 4], 4), 2, null, [2], "10:2", "5:1");
        Demand(Tensor.From<float>([1.1f, 3.3f, 0.5f, 2.4f], 4), 2, null, [2], "3.3:1", "2.4:3");
    }

    [Fact]
    public void Every_number_is_compared_as_what_it_is()
    {
        Demand(Tensor.From<double>([0.1, 1e300, -5], 1, 3), 3, null, [1, 3], "1E+300:1", "0.1:0", "-5:2");
        Demand(Tensor.From<Half>([(Half)0.1f, (Half)(-2), Half.PositiveInfinity], 1, 3), 3, null, [1, 3], "Infinity:2", "0.099975586:0", "-2:1");
        Demand(Tensor.From<BFloat16>([BFloat16.FromSingle(0.1f), BFloat16.FromSingle(3), BFloat16.FromSingle(float.NaN)], 1, 3), 3, null, [1, 3], "3:1", "0.100097656:0", "NaN:2");
        Demand(Tensor.From<ulong>([1, ulong.MaxValue, 2], 1, 3), 1, null, [1, 1], "18446744073709551615:1");
        Demand(Tensor.From<long>([long.MinValue, -1, 0], 1, 3), 3, null, [1, 3], "0:2", "-1:1", "-9223372036854775808:0");
        Demand(Tensor.From<byte>([255, 0, 254], 1, 3), 2, null, [1, 2], "255:0", "254:2");
        Demand(Tensor.From<sbyte>([-1, 127, 0], 1, 3), 2, null, [1, 2], "127:1", "0:2");
        Demand(Tensor.From<short>([-1, 300, 0], 1, 3), 1, null, [1, 1], "300:1");
        Demand(Tensor.From<ushort>([1, 65535, 0], 1, 3), 1, null, [1, 1], "65535:1");
        Demand(Tensor.From<int>([1, -65535, 0], 1, 3), 3, null, [1, 3], "1:0", "0:2", "-65535:1");
        Demand(Tensor.From<uint>([1, 4294967295, 0], 1, 3), 1, null, [1, 1], "4294967295:1");
    }

    [Fact]
    public void Labels_stand_behind_the_index_where_there_are_any()
    {
        Demand(Tensor.From<float>([1, 2, 3, 4, 5], 1, 5), 5, Labels, [1, 5], "5:4", "4:3:three:3", "3:2", "2:1:one", "1:0:zero");
    }

    [Fact]
    public void Items_are_told_apart_and_further_dimensions_are_one()
    {
        Demand(Tensor.From<float>([1, 2, 3, 6, 5, 4], 2, 3), 2, null, [2, 2], "3:2", "2:1", "6:0", "5:1");
        Demand(Tensor.From<float>([1, 2, 3, 4], 1, 2, 2, 1), 9, null, [1, 4], "4:3", "3:2", "2:1", "1:0");
        Demand(Tensor.From<float>([], 0, 3), 2, null, [0, 0]);
        Demand(Tensor.From<float>([7]), 2, null, [1], "7:0");
    }

    [Fact]
    public void What_has_no_order_is_refused()
    {
        using Tensor truth = Tensor.From<bool>([true, false], 1, 2), texts = Tensor.FromTexts(["a", "b"], 1, 2);
        foreach (Tensor tensor in new[] { truth, texts })
            Assert.Equal(ServingError.WrongType, Assert.Throws<ServingException>(() => Classification.Of(tensor, "y", 1, null)).Error);
    }

    [Fact]
    public void More_texts_than_an_answer_holds_are_refused()
    {
        using Tensor tensor = Tensor.From<byte>(new byte[2_000_000], 1000, 2000);
        Assert.Equal(ServingError.WrongShape, Assert.Throws<ServingException>(() => Classification.Of(tensor, "y", 1001, null)).Error);
        using Tensor answer = Classification.Of(tensor, "y", 2, null);
        Assert.Equal([1000, 2], answer.Shape);
    }

    private static void Demand(Tensor output, int count, ModelLabels? labels, long[] shape, params string[] texts)
    {
        using (output)
        using (Tensor answer = Classification.Of(output, "y", count, labels))
        {
            Assert.Equal(shape, answer.Shape);
            Assert.Equal(texts, answer.Texts);
        }
    }
}
