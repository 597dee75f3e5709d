using Cloister.Onnx.Tests.Runtime;

namespace Cloister.Serving.Tests.Server;

/// <summary>Small models, written by hand.</summary>
internal static class TestModels
{
    /// <summary>y = x / 2 + 2, float [N].</summary>
    public static byte[] HalfPlusTwo { get; } = new HandmadeModel()
        .Input("x", 1, -1).Inline("a", 1, [1], 0.5f).Inline("b", 1, [1], 2f)
        .Node("Mul", ["x", "a"], ["t"]).Node("Add", ["t", "b"], ["y"]).Output("y", 1, -1).ToBytes();

    /// <summary>Gives back what it gets: y = x of one element type, free in two dimensions.</summary>
    public static byte[] Identity(int type) => new HandmadeModel().Input("x", type, -1, -1).Node("Identity", ["x"], ["y"]).Output("y", type, -1, -1).ToBytes();

    /// <summary>sum = a + b, difference = a - b, float [N, 2].</summary>
    public static byte[] SumAndDifference { get; } = new HandmadeModel()
        .Input("a", 1, -1, 2).Input("b", 1, -1, 2)
        .Node("Add", ["a", "b"], ["sum"]).Node("Sub", ["a", "b"], ["difference"])
        .Output("sum", 1, -1, 2).Output("difference", 1, -1, 2).ToBytes();

    /// <summary>y = x + rounds, one operator at a time: with many rounds it runs until it is stopped.</summary>
    public static byte[] Loop { get; } = BuildLoop();

    /// <summary>Text in, text out, bytes by its name.</summary>
    public static byte[] TextIdentity { get; } = new HandmadeModel()
        .Input("x", 8, -1).Node("Identity", ["x"], ["y"]).Node("Identity", ["x"], ["y_bytes"]).Output("y", 8, -1).Output("y_bytes", 8, -1).ToBytes();

    /// <summary>The mean of each channel of a picture of 4 x 2 pixels: float [N, 3, 2, 4] to [N, 3].</summary>
    public static byte[] PictureMean { get; } = new HandmadeModel()
        .Input("picture", 1, -1, 3, 2, 4).Node("ReduceMean", ["picture"], ["mean"], HandmadeModel.Ints("axes", 2, 3), HandmadeModel.Int("keepdims", 0))
        .Output("mean", 1, -1, 3).ToBytes();

    /// <summary>y = x + w, with w outside the model.</summary>
    public static byte[] External { get; } = new HandmadeModel()
        .Input("x", 1, -1, 4).External("w", 1, [4], "weights.bin", 0, 16).Node("Add", ["x", "w"], ["y"]).Output("y", 1, -1, 4).ToBytes();

    private static byte[] BuildLoop()
    {
        HandmadeModel body = new HandmadeModel().Inline("one", 1, [1], 1f)
            .Input("i", 7).Input("on", 9).Input("before", 1, 1)
            .Node("Identity", ["on"], ["still"]).Node("Add", ["before", "one"], ["after"])
            .Output("still", 9).Output("after", 1, 1);
        return new HandmadeModel().Input("rounds", 7).Input("x", 1, 1).Inline("go", 9, [], (byte)1)
            .Node("Loop", ["rounds", "go", "x"], ["y"], HandmadeModel.Graph("body", body)).Output("y", 1, 1).ToBytes();
    }
}
