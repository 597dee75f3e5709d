namespace Cloister.Onnx.Pictures.Png;

/// <summary>One pass over the picture: which pixels it holds. A plain picture has one, Adam7 seven (PNG, 8.2).</summary>
internal readonly record struct PngPass(int X, int Y, int StepX, int StepY, int Width, int Height)
{
    public static IReadOnlyList<PngPass> Of(PngHeader header) =>
        header.Interlaced
            ? [.. new[] { At(0, 0, 8, 8), At(4, 0, 8, 8), At(0, 4, 4, 8), At(2, 0, 4, 4), At(0, 2, 2, 4), At(1, 0, 2, 2), At(0, 1, 1, 2) }
                .Select(pass => pass.Within(header)).Where(pass => pass.Width > 0 && pass.Height > 0)]
            : [At(0, 0, 1, 1).Within(header)];

    private static PngPass At(int x, int y, int stepX, int stepY) => new(x, y, stepX, stepY, 0, 0);

    private PngPass Within(PngHeader header) => this with
    {
        Width = (header.Width - X + StepX - 1) / StepX,
        Height = (header.Height - Y + StepY - 1) / StepY,
    };
}
