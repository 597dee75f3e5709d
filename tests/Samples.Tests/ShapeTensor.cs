using Cloister.Onnx.Pictures;
using Cloister.Samples.Shapes.Drawing;

namespace Cloister.Samples.Tests;

/// <summary>A drawing as the model's input.</summary>
internal static class ShapeTensor
{
    public static void Fill(Picture picture, Span<float> destination) =>
        Preprocessing.Parse("unit").ToTensor(picture, 3, Canvas.Size, Canvas.Size, destination);
}
