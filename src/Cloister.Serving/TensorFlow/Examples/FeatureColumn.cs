using System.Numerics;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>
/// One input of a model, filled example by example: bytes for texts, floats or whole numbers for floating-point inputs, whole numbers
/// for the others (0 and 1 for truth values). A picture input takes bytes that are a PNG or JPEG file.
/// </summary>
internal sealed class FeatureColumn(TensorInfo input, bool isPicture)
{
    private readonly List<byte[]> _texts = [];
    private readonly List<double> _numbers = [];
    private readonly List<long> _integers = [];
    private int _width = -1;

    private bool IsText => isPicture || input.Type == TensorElementType.String;

    private bool IsFloating => ModelSignatures.IsFloating(input.Type);

    /// <summary>Adds an example's feature; says why it cannot.</summary>
    public ServingException? Add(Feature feature, int example)
    {
        if (feature.Kind == FeatureKind.None)
            return ExampleBatch.Refused(ServingError.MissingInput, input.Name, example, $"Feature: {input.Name} (data type: {DataTypes.Name(input.Type)}) is required but could not be found.");
        bool fits = IsText ? feature.Kind == FeatureKind.Bytes : feature.Kind == FeatureKind.Integers || (IsFloating && feature.Kind == FeatureKind.Floats);
        if (!fits)
            return ExampleBatch.Refused(ServingError.WrongType, input.Name, example, $"Data types don't match. Expected type: {DataTypes.Name(input.Type)}, but it is a list of {feature.KindName}");
        if (Widen(feature.Count) is { } reason) return ExampleBatch.Refused(ServingError.WrongShape, input.Name, example, reason);
        _texts.AddRange(feature.Bytes);
        foreach (float value in feature.Floats) _numbers.Add(value);
        if (IsFloating) foreach (long value in feature.Integers) _numbers.Add(value);
        else _integers.AddRange(feature.Integers);
        return null;
    }

    /// <summary>The tensor of so many examples.</summary>
    /// <exception cref="ServingException">A value does not fit the input's type, or the batch not its shape.</exception>
    public Tensor ToTensor(int examples, PictureInput? picture, TensorPool pool)
    {
        if (isPicture) return picture!.ToTensor(_texts, pool);
        long[] shape = ShapeOf(examples);
        if (input.Mismatch(input.Type, shape) is not null)
            throw new ServingException(ServingError.WrongShape, $"Input '{input.Name}' takes shape {TensorShapes.Text([.. input.Shape])}, not {TensorShapes.Text(shape)}.");
        return input.Type switch
        {
            TensorElementType.String => Texts.ToTensor(_texts, input.Name, shape),
            TensorElementType.Float => Fill(_numbers, shape, pool, value => (float)value),
            TensorElementType.Double => Fill(_numbers, shape, pool, value => value),
            TensorElementType.Float16 => Fill(_numbers, shape, pool, value => (Half)value),
            TensorElementType.Int8 => FillWhole<sbyte>(shape, pool),
            TensorElementType.Int16 => FillWhole<short>(shape, pool),
            TensorElementType.Int32 => FillWhole<int>(shape, pool),
            TensorElementType.Int64 => FillWhole<long>(shape, pool),
            TensorElementType.UInt8 => FillWhole<byte>(shape, pool),
            TensorElementType.UInt16 => FillWhole<ushort>(shape, pool),
            TensorElementType.UInt32 => FillWhole<uint>(shape, pool),
            TensorElementType.UInt64 => FillWhole<ulong>(shape, pool),
            TensorElementType.Bool => Fill(_integers, shape, pool, value => value is 0 or 1 ? value == 1 : throw Unfit(value)),
            _ => throw new ServingException(ServingError.Unsupported, $"Input '{input.Name}' has elements of type {input.Type}, which no feature can give."),
        };
    }

    private string? Widen(int count)
    {
        if (isPicture) return count == 1 ? null : $"Number of values != expected.  Values size: {count} but a picture is one";
        if (_width < 0)
        {
            if (input.Shape.Count == 0) return "the input is a single value, not a batch of examples";
            long known = 1;
            int free = 0;
            foreach (long dimension in input.Shape.Skip(1))
            {
                if (dimension < 0) free++;
                else known = Math.Min(known * dimension, int.MaxValue);
            }
            if (free > 1) return $"the input's shape {TensorShapes.Text([.. input.Shape])} leaves open how a list of values lies in it; use :predict";
            if (free == 0 ? count != known : known == 0 || count % known != 0)
                return $"Number of {DataTypes.Name(input.Type)} values != expected.  Values size: {count} but output shape: {TensorShapes.Text([.. input.Shape.Skip(1)])}";
            _width = count;
        }
        return count == _width ? null : $"Number of {DataTypes.Name(input.Type)} values != expected.  Values size: {count} but the examples before have {_width}";
    }

    private long[] ShapeOf(int examples)
    {
        long known = input.Shape.Skip(1).Where(dimension => dimension >= 0).Aggregate(1L, (product, dimension) => product * dimension);
        return [examples, .. input.Shape.Skip(1).Select(dimension => dimension >= 0 ? dimension : _width / known)];
    }

    private Tensor FillWhole<T>(long[] shape, TensorPool pool) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> => Fill(_integers, shape, pool, value =>
        Int128.CreateChecked(T.MinValue) <= value && value <= Int128.CreateChecked(T.MaxValue) ? T.CreateTruncating(value) : throw Unfit(value));

    private Tensor Fill<TValue, T>(List<TValue> values, long[] shape, TensorPool pool, Func<TValue, T> convert) where T : unmanaged
    {
        var tensor = new Tensor(input.Type, shape, pool.Rent(Math.Max(1, input.Type.ByteLength(values.Count))));
        try
        {
            Span<T> elements = tensor.Elements<T>();
            for (int i = 0; i < values.Count; i++) elements[i] = convert(values[i]);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private ServingException Unfit(long value) => new(ServingError.WrongType, $"Input '{input.Name}': {value} does not fit {DataTypes.Name(input.Type)}.");
}
