using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Repository;

/// <summary>The input of a model that takes pictures: FP32 [N, channels, height, width], filled by the maker's preprocessing.</summary>
internal sealed class PictureInput
{
    private static readonly PictureLimits Limits = PictureLimits.Default;

    private readonly Preprocessing _preprocessing;
    private readonly ResizeMode _resize;
    private readonly int _channels, _height, _width;

    private PictureInput(int index, TensorInfo input, ModelConfiguration configuration)
    {
        Index = index;
        Name = input.Name;
        _preprocessing = configuration.Preprocess!;
        _resize = configuration.Resize;
        (_channels, _height, _width) = ((int)input.Shape[1], (int)input.Shape[2], (int)input.Shape[3]);
    }

    /// <summary>Which of the model's inputs it is.</summary>
    public int Index { get; }

    public string Name { get; }

    /// <summary>The one picture input of the model; null where the configuration names no preprocessing.</summary>
    /// <exception cref="ServingException">The configuration names one, but no single input can take a picture.</exception>
    public static PictureInput? Of(IReadOnlyList<TensorInfo> inputs, ModelConfiguration configuration)
    {
        if (configuration.Preprocess is null) return null;
        int[] candidates = [.. Enumerable.Range(0, inputs.Count).Where(index => IsPicture(inputs[index]))];
        if (candidates.Length != 1)
            throw new ServingException(ServingError.ConfigurationRefused,
                $"config.json is refused: 'preprocess' needs exactly one FP32 input of shape [N, 1 or 3, height, width]; the model has {candidates.Length}.");
        var picture = new PictureInput(candidates[0], inputs[candidates[0]], configuration);
        picture.Try();
        return picture;
    }

    /// <summary>Decodes PNG and JPEG files into one tensor of as many pictures.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.PictureRefused"/>; the text says which picture and why.</exception>
    public Tensor ToTensor(IReadOnlyList<byte[]> files, TensorPool pool)
    {
        int size = _channels * _height * _width;
        TensorBuffer buffer = pool.Rent((long)size * files.Count * sizeof(float));
        var tensor = new Tensor(TensorElementType.Float, [files.Count, _channels, _height, _width], buffer);
        try
        {
            Span<float> elements = tensor.Elements<float>();
            for (int i = 0; i < files.Count; i++)
            {
                try
                {
                    Write(PictureFile.Read(files[i], Limits), elements.Slice(i * size, size));
                }
                catch (PictureException refusal)
                {
                    throw new ServingException(ServingError.PictureRefused, $"Input '{Name}', picture {i}: {refusal.Message}", refusal);
                }
            }
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static bool IsPicture(TensorInfo input) => input.Type == TensorElementType.Float && input.Shape.Count == 4 &&
        input.Shape[1] is 1 or 3 && input.Shape[2] is > 0 and <= 16_384 && input.Shape[3] is > 0 and <= 16_384 && input.Shape[2] * input.Shape[3] <= 16_000_000;

    private void Write(Picture picture, Span<float> destination) =>
        _preprocessing.ToTensor(picture, _channels, _height, _width, destination, _resize);

    // A preprocessing that does not make the model's channels is found when the model is loaded, not by its first caller.
    private void Try()
    {
        try
        {
            Write(new Picture(_width, _height, new byte[3 * _width * _height]), new float[_channels * _height * _width]);
        }
        catch (PictureException refusal)
        {
            throw new ServingException(ServingError.ConfigurationRefused, $"config.json is refused: {refusal.Message}", refusal);
        }
    }
}
