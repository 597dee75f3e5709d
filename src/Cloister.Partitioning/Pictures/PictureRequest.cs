using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Pictures;

/// <summary>Which pictures an assessment takes, and as what.</summary>
public sealed record PictureRequest
{
    /// <summary>Folders (with the folders in them), pictures, and files of CIFAR's binary format; any mix.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>The size that the model reads.</summary>
    public required PictureSize Size { get; init; }

    /// <summary>How a picture becomes the model's input.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>What is done with pictures of another size.</summary>
    public ResizeMode Resize { get; init; } = ResizeMode.Smooth;

    /// <summary>Pictures that an attacker learns from.</summary>
    public int Fit { get; init; } = 300;

    /// <summary>Pictures that are attacked; none of them is among those that are learned from.</summary>
    public int Test { get; init; } = 60;

    /// <summary>With how many it goes on where there are fewer than asked for; null: with none fewer. What is learned from is what is left out then.</summary>
    public int? Least { get; init; }

    /// <summary>Which of them are taken, where there are more than are needed.</summary>
    public int Seed { get; init; } = 1;
}
